package slacktest

import (
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// A file is one that the bot uploads.
type file struct {
	secret   string // in the address to upload to
	length   int    // as it was announced
	body     []byte
	complete bool
	refusals int // how often a block may not name it yet
}

// maxFile is how long a file may be here, in bytes.
const maxFile = 64 << 20

// Processing makes each file that is uploaded from now on be processed so long that the first n messages that name it are
// refused; it is 1 at the beginning.
func (s *Server) Processing(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processing = n
}

// Files is how many files there are.
func (s *Server) Files() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.files)
}

func (s *Server) filesGetUploadURL(v url.Values) (answer, string) {
	length, err := strconv.Atoi(v.Get("length"))
	if err != nil || length <= 0 || length > maxFile || v.Get("filename") == "" || count(v.Get("alt_txt")) > 1000 {
		return nil, "invalid_arguments"
	}
	id, f := s.number("F"), &file{secret: rand.Text(), length: length, refusals: s.processing}
	s.files[id] = f
	return answer{"file_id": id, "upload_url": s.http.URL + "/upload/" + f.secret}, ""
}

// receive takes a file's bytes, from a form.
func (s *Server) receive(w http.ResponseWriter, r *http.Request) {
	part, _, err := r.FormFile("file")
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	body, err := io.ReadAll(io.LimitReader(part, maxFile+1))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.files {
		if f.secret == r.PathValue("secret") && f.length == len(body) && !f.complete {
			f.body = body
			_, _ = io.WriteString(w, "OK")
			return
		}
	}
	http.Error(w, "there is no upload of this length", http.StatusNotFound)
}

// filesComplete completes files that are shared with nobody: that is all the bot does.
func (s *Server) filesComplete(v url.Values) (answer, string) {
	var list []struct{ ID string }
	if json.Unmarshal([]byte(v.Get("files")), &list) != nil || len(list) == 0 || v.Has("channel_id") || v.Has("channels") {
		return nil, "invalid_arguments"
	}
	for _, f := range list {
		if known := s.files[f.ID]; known == nil || known.body == nil || known.complete {
			return nil, "file_not_found"
		}
	}
	for _, f := range list {
		s.files[f.ID].complete = true
	}
	return answer{"files": list}, ""
}

func (s *Server) filesDelete(v url.Values) (answer, string) {
	if s.files[v.Get("file")] == nil {
		return nil, "file_not_found"
	}
	delete(s.files, v.Get("file"))
	return answer{}, ""
}

// ready tells whether all files that blocks name may be named now.
func (s *Server) ready(blocks []block) bool {
	ready := true
	for _, b := range blocks {
		id := b.fileID()
		if id == "" {
			continue
		}
		f := s.files[id]
		if f == nil || !f.complete || !slices.Contains([]string{"image/png", "image/jpeg", "image/gif"}, http.DetectContentType(f.body)) {
			return false
		}
		if f.refusals > 0 {
			f.refusals--
			ready = false
		}
	}
	return ready
}
