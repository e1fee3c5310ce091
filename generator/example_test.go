package generator_test

import (
	"context"
	"fmt"
	"log"

	"github.com/easelbot/easel/generator"
	"github.com/easelbot/easel/generator/model"
	"github.com/easelbot/easel/imagine"
	"github.com/easelbot/easel/inference"
)

func ExampleEngine_Paint() {
	if err := inference.Load(""); err != nil {
		log.Fatal(err)
	}
	folder, err := model.OpenDir("../testdata/tiny")
	if err != nil {
		log.Fatal(err)
	}
	engine, err := generator.Open(generator.Options{Device: inference.CPU, MaxLanes: 8, Memory: 1 << 30, Queue: 16}, folder)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = engine.Close() }()

	request := generator.Defaults(folder)
	request.Prompt, request.Seed, request.Count = "a red fox on a blue background", 7, 2
	pictures, err := engine.Paint(context.Background(), request, imagine.Watcher{Event: func(ev imagine.Event) {
		if ev.Calls == ev.Total && ev.Picture == nil {
			fmt.Println(ev.Calls, "model calls made")
		}
	}})
	if err != nil {
		log.Print(err)
		return
	}
	for _, p := range pictures {
		fmt.Println("seed", p.Seed, "is", p.Image.Rect.Size())
	}
	// Output:
	// 8 model calls made
	// seed 7 is (128,128)
	// seed 8 is (128,128)
}
