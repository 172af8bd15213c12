// Package eddy is an event-loop network engine on raw epoll and kqueue.
package eddy
