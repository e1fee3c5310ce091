package web

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/png"
	"maps"
	"math"
	"strconv"
	"sync"

	"github.com/easelbot/easel/jobs"
)

// A frame is how a job gets on at one moment, as an event's data.
type frame struct {
	data func() ([]byte, error) // encoded by who first reads it, since whoever paints must not wait
}

func newFrame(job string, p jobs.Progress) *frame {
	p.Previews = maps.Clone(p.Previews)
	return &frame{data: sync.OnceValues(func() ([]byte, error) { return encode(job, p) })}
}

func encode(job string, p jobs.Progress) ([]byte, error) {
	previews := map[string]string{}
	for index, picture := range p.Previews {
		url, err := dataURL(picture)
		if err != nil {
			return nil, err
		}
		previews[strconv.Itoa(index)] = url
	}
	return json.Marshal(struct {
		Job      string            `json:"job"`
		Ahead    int               `json:"ahead"`
		Calls    int               `json:"calls"`
		Total    int               `json:"total"`
		Left     int               `json:"left"` // seconds, 0 while unknown
		Previews map[string]string `json:"previews"`
	}{job, p.Ahead, p.Calls, p.Total, int(math.Ceil(p.Left.Seconds())), previews})
}

func dataURL(picture image.Image) (string, error) {
	var file bytes.Buffer
	if err := png.Encode(&file, picture); err != nil {
		return "", err
	}
	return "data:image/png;base64," + base64.StdEncoding.EncodeToString(file.Bytes()), nil
}
