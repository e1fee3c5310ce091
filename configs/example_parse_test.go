package configs_test

import (
	"fmt"

	"github.com/easelbot/easel/configs"
)

func ExampleParse_typo() {
	yaml := `
engine:
  thread: 4      # threads
  max_lanes: 1   # a guided picture needs two
`
	_, err := configs.Parse([]byte(yaml), "easel.yaml")
	fmt.Println(err)
	// Output:
	// easel.yaml:3: unknown key "engine.thread": did you mean "engine.threads"?
	// easel.yaml:4: engine.max_lanes: 1 is out of range: from 2 to 256
}
