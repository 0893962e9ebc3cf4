/* Services and Lua modules in C, for skysim.
 *
 * A shared library, linked with nothing: it finds these functions, and Lua's C API (Lua 5.4, the
 * headers of which are the usual ones), in the program that loads it. Compile C with -fexceptions:
 * an error of Lua passes through your frames as an exception. tests/native_project has one of each
 * kind.
 *
 * A service NAME is found through the config entry `cpath` ("./cservice/?.so") and exports, with
 * what follows the last dot of NAME:
 *
 *   void *NAME_create(void);                               optional: makes the instance
 *   int NAME_init(void *instance, struct skynet_context *context, const char *arguments);
 *                                                          not 0: the launch has failed
 *   void NAME_release(void *instance);                     optional: the service has ended
 *   void NAME_signal(void *instance, int signal);          optional: command SIGNAL; on the thread
 *                                                          of whoever gave it
 *
 * It is started by skynet.launch("NAME", arguments) or as bootstrap or logservice. A Lua module is
 * found through `lua_cpath` and exports luaopen_NAME as ever; the context of its service is the
 * light userdata "skynet_context" of the registry. Memory of userdata comes from Lua's allocator.
 *
 * Threads: a context may be used inside the functions above, the callback, and Lua functions of its
 * service, on the thread that called them; by one thread at a time. A module must not start threads
 * that use one.
 *
 * In a simulation a module is ordinary code that nothing stops, and its author answers for the run
 * being the same twice. It must not look at clocks (the time is what command NOW says), draw random
 * numbers, read the environment, open files or sockets, start threads, let an address (of a
 * function, of a block of malloc) reach a message, a key of a table or a decision, nor keep
 * anything in static variables: they outlive the node and the run, and all nodes share them. Blocks
 * of skynet_malloc have the same addresses in every run. The log says once for each node which
 * library it has loaded.
 */
#ifndef SKYNET_H
#define SKYNET_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct skynet_context;

/* Types of messages, 0..255. */
#define PTYPE_TEXT 0
#define PTYPE_RESPONSE 1
#define PTYPE_MULTICAST 2
#define PTYPE_CLIENT 3
#define PTYPE_SYSTEM 4
#define PTYPE_HARBOR 5
#define PTYPE_SOCKET 6
#define PTYPE_ERROR 7
#define PTYPE_RESERVED_QUEUE 8
#define PTYPE_RESERVED_DEBUG 9
#define PTYPE_RESERVED_LUA 10
#define PTYPE_RESERVED_SNAX 11

/* To be or-ed to a type. DONTCOPY: `message` is a block of skynet_malloc and becomes the
 * receiver's, also when the sending fails. ALLOCSESSION: `session` is 0 and a new one is taken. */
#define PTYPE_TAG_DONTCOPY 0x10000
#define PTYPE_TAG_ALLOCSESSION 0x20000

/* Handles one message. 0: the message is freed when it returns; 1: it is the service's, for
 * skynet_free or to be sent on with DONTCOPY. `message` is NULL if `size` is 0; a copied message
 * has a NUL behind its last byte. */
typedef int (*skynet_cb)(struct skynet_context *context, void *user_data, int type, int session,
                         uint32_t source, const void *message, size_t size);

/* Messages go to `callback` from the next one on. NULL: every request is answered with an error. A
 * context of a Lua service has no callback: an error in the log. */
void skynet_callback(struct skynet_context *context, void *user_data, skynet_cb callback);

/* Sends as `source`; 0: as this service. Returns the session; -1: no such destination or wrong
 * arguments, -2: too large (both are in the log but for a destination that is gone). */
int skynet_send(struct skynet_context *context, uint32_t source, uint32_t destination, int type,
                int session, void *message, size_t size);

/* The same for ":hex", ".name" (of this node) or a name of the harbor network. */
int skynet_sendname(struct skynet_context *context, uint32_t source, const char *destination,
                    int type, int session, void *message, size_t size);

/* Runs a text command: TIMEOUT, REG, QUERY, NAME, EXIT, KILL, LAUNCH, GETENV, SETENV, STARTTIME,
 * ABORT, MONITOR, STAT, LOGON, LOGOFF, SIGNAL, as skynet.core.command does, and NOW (cs since the
 * node began). The text that it returns lives until the next call with this context; NULL: none. */
const char *skynet_command(struct skynet_context *context, const char *command,
                           const char *parameter);

/* The handle that ":hex" or ".name" means; 0: none. */
uint32_t skynet_queryname(struct skynet_context *context, const char *name);

/* Whether `handle` is on another node; `harbor` (may be NULL) becomes the id of its node. */
int skynet_isremote(struct skynet_context *context, uint32_t handle, int *harbor);

/* A line of the log, formatted as printf does. */
void skynet_error(struct skynet_context *context, const char *format, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;

/* Blocks for messages. They never return NULL: out of memory ends the process. */
void *skynet_malloc(size_t size);
void *skynet_calloc(size_t count, size_t size);
void *skynet_realloc(void *block, size_t size);
void skynet_free(void *block);
char *skynet_strdup(const char *text);

#ifdef __cplusplus
}
#endif

#endif
