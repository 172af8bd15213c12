package main

import (
	"slices"
	"time"
)

// table is what docs/reliability.md promises, row by row.
func table() []row {
	return slices.Concat(survival(), atScale(), besides())
}

type trials = []func(*trial) error

// survival are the rows about what has brought servers down.
func survival() []row {
	return []row{
		{1, "identity", "A late answer reaches its own client or nobody, also when its descriptor has a new owner.", 2 * time.Minute,
			trials{tagged}},
		{2, "stale events", "An event of a connection that was closed earlier in the same batch does nothing.", 2 * time.Minute,
			trials{tests("./loop", "TestNeighbourClosedInTheSameBatch", "TestEventOfAnEarlierGenerationIsIgnored", "TestStaleTokenNeverMatches", "TestClosedConnectionIgnoresItsEvents")}},
		{3, "few descriptors", "Without descriptors the engine waits, without spinning or flooding the log, and serves all afterwards.", time.Minute,
			trials{fewDescriptors("limit of connections"), fewDescriptors("EMFILE", "-max-conns", "1000")}},
		{4, "accept errors", "No error of accept ends the engine or loses a client.", 2 * time.Minute,
			trials{
				failing("accept4", "ECONNABORTED", "EINTR", "EPERM", "EPROTO", "EMFILE", "ENFILE", "ENOBUFS", "ENOMEM"),
				tests("./loop", "TestAcceptErrorsAreClassified"),
			}},
		{5, "clients that do not read", "They cost bounded memory and no processor, and are closed at the write deadline.", time.Minute,
			trials{pipelinerWithoutEnd, crowdThatNeverReads}},
		{6, "busy neighbours", "A connection that sends as fast as it can does not hold up the others of its loop.", time.Minute,
			trials{busyNeighbours}},
		{7, "close with output", "Closing loses nothing that was written, however slowly it is read.", time.Minute,
			trials{slowReaderGetsAll}},
		{8, "refusal while sending", "A client that still sends its body reads why it was refused.", 2 * time.Minute,
			trials{refusedWhileSending}},
		{9, "slow attackers", "Slow heads, bodies and readers are closed a second after their deadline at the latest, and healthy clients do not notice.", 2 * time.Minute,
			trials{
				slowHTTP("slow heads", "-H", "/plaintext", "-i", "1"),
				slowHTTP("slow bodies", "-B", "/echo", "-i", "1", "-s", "8192"),
				slowHTTP("slow readers", "-X", "/big?n=10000000", "-w", "512", "-y", "1024", "-n", "5", "-z", "32"),
			}},
		{10, "half-close", "A client that stops sending gets its answer; one that stops in the middle of a request is let go. Neither costs processor time.", time.Minute,
			trials{stopsSending}},
		{11, "order of output", "Partial writes repeat nothing, skip nothing and keep the order.", 2 * time.Minute,
			trials{manySenders, echoKeepsOffsets, tests("./loop", "TestPartialWritesKeepOrder", "TestRefWriteFromManyGoroutines")}},
		{12, "interrupted calls", "EINTR, EAGAIN, ENOBUFS and ENOMEM of system calls change no answer.", 2 * time.Minute,
			trials{callErrors, tests("./loop", "TestWriteBackoff")}},
		{13, "bad handlers", "A panic costs one connection; a handler that holds its loop holds up no other loop, and is reported.", time.Minute,
			trials{panicsInTheLoad, spinner}},
		{14, "shutdown", "A drain answers every request that was sent, ends at its deadline whatever callbacks and resolvers do, and leaves no goroutine and no descriptor behind.", 3 * time.Minute,
			trials{drains, stuckDrain, blockedDrain, forcedDrain, everythingReturns, tests(".", "TestNothingIsLeftBehind", "TestDiscardedEngineLeavesNothingBehind", "TestDrainEndsThoughACallbackBlocks", "TestShutdownWhileListenLooksANameUp", "TestShutdownWhileDialLooksANameUp")}},
		{15, "memory after a spike", "Memory returns to near where it was within 30 s.", 2 * time.Minute,
			trials{spike}},
		{16, "huge numbers", "Lengths beyond any integer are refused, and take no memory.", time.Minute,
			trials{hugeNumbers}},
		{17, "expensive chunks", "What framing may cost beyond the data is bounded.", time.Minute,
			trials{expensiveChunks, tests("./httpparse", "TestChunkOverheadIsBounded", "TestExtensionLimit")}},
		{18, "many fields", "Too many fields are refused; what they cost grows with their number, whatever their names.", 2 * time.Minute,
			trials{manyFields, tests("./httpparse", "TestByteByByteIsLinear")}},
		{19, "smuggled lines", "No client writes a field of an answer, or a line of the log, of its own.", time.Minute,
			trials{smuggled, tests("./http1", "TestFieldsThatCannotBeSet")}},
		{20, "clocks", "Timers follow the monotonic clock, across every power of two.", 3 * time.Minute,
			trials{
				clockBeyond(31), clockBeyond(32),
				tests("./internal/wheel", "TestTimerFiresAtItsTick", "TestTimerFiresAfterCascade", "TestTimeDoesNotGoBack", "TestWheelAgainstModel"),
				tests("./loop", "TestDeadlineIsNeverEarly", "TestDeadlineBeyondTheEndOfTime"),
			}},
		{21, "socket files", "A stale Unix socket is replaced; one in use, and a file of another kind, are left alone, with a clear error.", time.Minute,
			trials{socketFiles, tests(".", "TestStaleSocketFileIsReplaced", "TestLiveSocketIsLeftAlone", "TestOtherFilesAreLeftAlone")}},
	}
}

// atScale are the rows about many clients, and a long time.
func atScale() []row {
	return []row{
		{22, "churn", "Memory, descriptors and goroutines stay where they are, whatever comes and goes.", 10 * time.Minute,
			trials{churn}},
		{23, "streams", "5,000 answers in pieces come on time; 1,000 clients that leave are all noticed.", time.Minute,
			trials{manyStreams, leavers, leaversOfTicks}},
		{24, "slow answers", "1,000 clients of a handler that takes 200 ms get answers and no errors, whether it waits or blocks; quick answers do not wait for slow ones.", 2 * time.Minute,
			trials{slowAnswers, besideSlow}},
		{25, "silent clients", "10,000 that say nothing harm nobody; who stalls is closed at the deadline.", 2 * time.Minute,
			trials{silentCrowd, closedOnTime}},
		{26, "unread log", "A log that nobody reads costs log lines, which are counted, and nothing else: no request, and no time at the end.", 2 * time.Minute,
			trials{unreadLog, unreadEnd, tests("./asynclog", "TestCallerDoesNotWaitForABlockedOutput", "TestFullQueueDropsCountsAndReports"), tests(".", "TestLogThatNobodyReadsDoesNotBlockLoops")}},
	}
}

// besides are the rows about what stands beside the server: relays, the kernel, the network.
func besides() []row {
	return []row{
		{27, "relays", "The two directions of a relay move on their own, whichever of them is full.", 2 * time.Minute,
			trials{
				tests("./examples/proxy", "TestServerThatSendsBeforeItReads", "TestEarlyAnswerReachesAClientThatIsStillSending", "TestBackpressureIsPassedOn", "TestHalfCloseIsPassedOn"),
				tests("./loop", "TestFullOutputDoesNotStopTheInputOfAFullDuplexConnection"),
			}},
		{28, "short poller", "A poller that is short of watches or memory pauses accepting, and drops nobody.", time.Minute,
			trials{failing("epoll_ctl", "ENOSPC", "ENOMEM"), tests("./loop", "TestPollerShortOfWatches")}},
		{29, "vanished clients", "A stream to a client that has vanished without a FIN ends soon after the write deadline.", time.Minute,
			trials{vanishedClient}},
	}
}
