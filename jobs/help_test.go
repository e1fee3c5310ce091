package jobs_test

import (
	"context"
	"database/sql"

	"github.com/easelbot/easel/store"
)

func execute(db *store.DB, query string) (result sql.Result, err error) {
	err = db.Write(context.Background(), func(tx *sql.Tx) error {
		result, err = tx.Exec(query)
		return err
	})
	return result, err
}
