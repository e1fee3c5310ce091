// Package jobs is the one saga that every door uses: plan, screen, take, paint, inspect, save, deliver.
//
// Before the acknowledgement a request is planned (nothing is left to chance or default), screened, charged, and written
// down. From then on the journal is the truth: one transaction commits each change of a job's state together with its
// effects on the world (post, show, tell, refund, remove), which wait in an outbox under a unique key and are run until
// they are done. After a crash unfinished jobs are painted again from their seeds, and effects run again; each is
// harmless when repeated. So every job ends in one result or one told refusal with its credits given back.
//
// Who is next is decided here, fairly between people; how a job reaches an engine is a [Queue].
package jobs
