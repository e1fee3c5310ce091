// Package pull fetches models from a hub that speaks as Hugging Face does, so that they end up complete, verified and in
// one piece, or not at all.
//
// # What is asked of the hub
//
//	GET BASE/api/models/OWNER/REPO/revision/REVISION                   the commit and the licence; a mirror may lack it
//	GET BASE/api/models/OWNER/REPO/tree/COMMIT?recursive=true&expand=false   the files, paged by Link headers
//	GET BASE/OWNER/REPO/resolve/COMMIT/PATH                            a file, often by a redirect to another host
//
// Everything is asked for at one commit, so that what is pulled is of one piece though somebody pushes meanwhile. The
// token goes to BASE's scheme, host and port alone, never to where a redirect leads, and is in no error.
//
// # What is fetched
//
// What the layout of package model needs: model_index.json, easel.json, the licence and the model's card, the graphs
// (model.onnx) with their config.json and their weights, the tokenizers and the scheduler. Weights are what lies beside a graph and looks like it, and
// then what the graphs name. Weights for other programs (.safetensors, .bin, .msgpack) stay where they are.
//
// # Trust
//
// Nothing that the hub says is believed: names must be plain relative paths, sizes must be within bounds, no file may be
// listed twice, lists end somewhere, and each file must have the length and the hash of the listing: SHA-256 for files in
// LFS, git's SHA-1 of a blob for small ones.
//
// # On disk
//
//	DIR                  the model, only ever complete; pulled.json in it says what it is, see [Record]
//	DIR/../.pull/NAME    what is being fetched; kept when it fails or is killed, and gone on with by the next pull
//	DIR/../.pull/NAME.lock   held by the pull in progress
//
// A file in the making is called PATH.part, with the server's ETag in PATH.part.etag. It is gone on with by Range and
// If-Range; where the server answers with something else it is begun anew. When all files are there and verified,
// and package model finds nothing wrong with them, the folder is moved to its place.
//
// # Patience
//
// Broken connections, stalls and the statuses 408, 429 and 5xx are tried again, after what Retry-After asks for or a growing
// pause, until a number of attempts in a row brought nothing new. A transfer may take as long as it wants if bytes keep coming.
package pull

import (
	"fmt"
	"regexp"
	"strings"
)

// A Source names a model on a hub.
type Source struct {
	Repo     string // "owner/name"
	Revision string // a branch, a tag or a commit
}

// String returns "owner/name@revision", without the revision when it is main.
func (s Source) String() string {
	if s.Revision == mainBranch {
		return s.Repo
	}
	return s.Repo + "@" + s.Revision
}

// Name is what the model's folder is called unless told otherwise: the repository without its owner.
func (s Source) Name() string {
	_, name, _ := strings.Cut(s.Repo, "/")
	return name
}

const mainBranch = "main"

var (
	repoForm     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95}$`)
	revisionForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,127}$`)
)

// ParseSource reads "owner/name" or "owner/name@revision".
func ParseSource(text string) (Source, error) {
	repo, revision, told := strings.Cut(text, "@")
	if !told {
		revision = mainBranch
	}
	s := Source{Repo: repo, Revision: revision}
	switch {
	case !repoForm.MatchString(repo) || strings.Contains(repo, "..") || portable(s.Name()) != nil:
		return Source{}, fmt.Errorf("%q is no repository; write OWNER/NAME, or OWNER/NAME@REVISION", repo)
	case !revisionForm.MatchString(revision) || strings.Contains(revision, ".."):
		return Source{}, fmt.Errorf("%q is no revision; write a branch, a tag or a commit behind the @", revision)
	}
	return s, nil
}
