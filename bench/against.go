package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// With -against, a build of another commit is measured as two more peers. The ratio of
// the two to each other is the noise of the measurement.
const (
	oldSuffix   = "-old"
	againSuffix = "-old-again"
)

// oldProgram is the name of the executable that both old peers run.
func oldProgram(peer string) string { return strings.TrimSuffix(peer, "-again") }

// isOld reports whether a peer is built from the commit of -against.
func isOld(peer string) bool { return strings.HasSuffix(oldProgram(peer), oldSuffix) }

// newest is the peer that an old one is compared with, or the peer itself.
func newest(peer string) string { return strings.TrimSuffix(oldProgram(peer), oldSuffix) }

// withOld adds the old peers to the scenarios that measure bench/servers/eddy or adapter.
// It drops the others.
func withOld(list []scenario) (with []scenario) {
	for _, s := range list {
		peers := slices.Clone(s.peers)
		for _, peer := range []string{"eddy", "adapter"} {
			if slices.Contains(s.peers, peer) && s.program(peer) == peer {
				peers = append(peers, peer+oldSuffix, peer+againSuffix)
			}
		}
		if len(peers) > len(s.peers) {
			s.peers = peers
			with = append(with, s)
		}
	}
	return with
}

// buildOld compiles old programs in a worktree of the commit. The worktree is removed
// before buildOld returns, also after an interrupt.
func (p *programs) buildOld(ctx context.Context, commit string, names []string) (err error) {
	tree := filepath.Join(p.folder, "worktree")
	defer func() {
		if _, removing := git("worktree", "remove", "--force", tree); err == nil {
			err = removing
		}
	}()
	if _, err := git("worktree", "add", "--detach", tree, commit); err != nil {
		return fmt.Errorf("-against %s: %w", commit, err)
	}
	version, err := git("-C", tree, "describe", "--always")
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := interrupted(ctx); err != nil {
			return err
		}
		if err := compile("build", "-C", filepath.Join(tree, "bench"), "-o", p.path(name), "./servers/"+newest(name)); err != nil {
			return fmt.Errorf("-against %s: %w", commit, err)
		}
		p.versions[name] = version
	}
	return nil
}

// git runs git and returns its output.
func git(args ...string) (string, error) {
	out, err := exec.Command("git", args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("git %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out)), nil
}
