/* daemon.h - into the background, and no earlier back than it serves.
 * For:     -d.     Callers: master.c.
 * Holds:   the process that was started waits for a word of the daemon and exits with its code.
 * Memory:  one pipe. */
#ifndef MASTER_DAEMON_H
#define MASTER_DAEMON_H

/* Returns, in the daemon alone, the descriptor for daemon_tell(). Exits 1 when it cannot fork. */
int daemon_begin(void);

/* Let go of the terminal: before the workers are made, who would hold on to it. */
void daemon_let_go(void);
/* Tell the waiting process its exit code. -1: there is none. */
void daemon_tell(int fd, int code);

#endif
