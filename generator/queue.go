package generator

import "slices"

// enter takes a place in line for a request whose text is not encoded yet; enqueue or giveUp must follow.
func (e *Engine) enter() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = slices.DeleteFunc(e.waiting, (*job).over) // who gave up takes nobody's place
	switch {
	case e.closed:
		return ErrClosed
	case len(e.waiting)+e.entering >= e.options.Queue:
		return ErrBusy
	}
	e.entering++
	return nil
}

// enqueue puts a job in the place that it entered.
func (e *Engine) enqueue(j *job) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.entering--
	if e.closed {
		return ErrClosed
	}
	e.waiting = append(e.waiting, j)
	e.poke()
	return nil
}

// giveUp leaves a place that was entered.
func (e *Engine) giveUp() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.entering--
}

// poke tells the loop that something changed.
func (e *Engine) poke() {
	select {
	case e.wake <- struct{}{}:
	default:
	}
}

// admit returns the rows that may join now: one of each request in turn, as far as memory goes. Where the next one does not
// fit, everybody waits for room, so that nobody with smaller pictures keeps it out for ever.
func (e *Engine) admit() []*row {
	e.mu.Lock()
	defer e.mu.Unlock()
	var rows []*row
	for len(e.waiting) > 0 {
		j := e.waiting[0]
		if !j.over() && e.used > 0 && e.used+need(e.folder, j.request) > e.options.Memory {
			return rows
		}
		e.waiting = slices.Delete(e.waiting, 0, 1)
		if j.over() {
			continue
		}
		r, err := e.newRow(j, j.joined)
		if err != nil {
			j.finish(err)
			continue
		}
		j.joined++
		e.used += r.bytes
		rows = append(rows, r)
		if j.joined < j.request.Count {
			e.waiting = append(e.waiting, j)
		}
	}
	return rows
}

// release gives back what a row held.
func (e *Engine) release(bytes int64) {
	e.mu.Lock()
	e.used -= bytes
	e.mu.Unlock()
	e.poke()
}
