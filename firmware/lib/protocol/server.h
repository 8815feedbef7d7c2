/*
 * The device's end of the protocol: takes requests in the order of their sequence numbers, executes each once and keeps
 * the last responses, so that a request that comes again is answered again without being executed again.
 */
#ifndef SERVER_H
#define SERVER_H

#ifdef __cplusplus
extern "C" {
#endif

/* Announces the start (BOOT) and prepares the engine; where that fails says so (LOG), and no inference will work. */
void server_start(void);

/* Handles what has been received, and sleeps when that is nothing. */
void server_poll(void);

/* Says one line of UTF-8 text (LOG); what exceeds a frame is cut off. */
void server_log(const char *text);

#ifdef __cplusplus
}
#endif

#endif
