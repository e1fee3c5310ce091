package model

import "encoding/json"

// A Scheduler is the noise schedule: the sampler's business, passed on unread.
type Scheduler struct {
	Class string // such as "DDIMScheduler"
	JSON  []byte // scheduler_config.json
}

func (in *inspector) scheduler() {
	const file = "scheduler/scheduler_config.json"
	var raw json.RawMessage
	if !in.need(file, &raw, "it holds the noise schedule; copy it from the model's original folder") {
		return
	}
	var c struct {
		Class string `json:"_class_name"`
	}
	if err := json.Unmarshal(raw, &c); err != nil || c.Class == "" {
		in.problem(file, "_class_name is missing; it names the scheduler, such as DDIMScheduler")
		return
	}
	in.folder.Scheduler = Scheduler{Class: c.Class, JSON: raw}
}
