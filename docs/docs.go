// Package docs holds no code: its test keeps the documentation true.
package docs
