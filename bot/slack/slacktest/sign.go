package slacktest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// Sign signs a body as Slack does at some time.
func Sign(h http.Header, secret string, at time.Time, body string) {
	stamp := strconv.FormatInt(at.Unix(), 10)
	h.Set("X-Slack-Request-Timestamp", stamp)
	h.Set("X-Slack-Signature", Signature(secret, stamp, body))
}

// Signature is the v0 signature of a body and a timestamp.
func Signature(secret, stamp, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	fmt.Fprintf(mac, "v0:%s:%s", stamp, body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}
