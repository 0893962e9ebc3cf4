/* A service in C: adds numbers, and does at a text command what a service in C can do.
 *
 *   add N            -> the sum                    keep TEXT      -> TEXT, in the block that came
 *   run NAME PARAM   -> what skynet_command says   find NAME      -> the handle, as ":hex"
 *   remote HEX       -> "<remote> <harbor>"        tell NAME TEXT -> the session of a new request
 *   refuse TEXT      -> what skynet_send says: to nobody if TEXT begins with 0, else to itself
 *                       with two sessions
 *   signals          -> the sum of all signals
 * Launched as "ledger fail" it does not start; as "ledger deaf" it has no callback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "skynet.h"

struct ledger {
  long sum;
  int signals;
  struct skynet_context* context;
};

static void Reply(struct skynet_context* context, uint32_t to, int session, const char* text) {
  skynet_send(context, 0, to, PTYPE_RESPONSE, session, (void*)text, strlen(text));
}

static int Keep(struct skynet_context* context, uint32_t source, int session, const char* message,
                size_t size) {
  char* block = (char*)message;
  memmove(block, block + 5, size - 5);
  skynet_send(context, 0, source, PTYPE_RESPONSE | PTYPE_TAG_DONTCOPY, session,
              skynet_realloc(block, size), size - 5);
  return 1;
}

static void Refuse(struct skynet_context* context, const char* arguments, char* answer,
                   size_t size) {
  const int type = PTYPE_TEXT | PTYPE_TAG_DONTCOPY;
  char* block = skynet_strdup(arguments);
  uint32_t self = skynet_queryname(context, skynet_command(context, "REG", NULL));
  int result = arguments[0] == '0'
                   ? skynet_send(context, 0, 0, type, 0, block, strlen(block))
                   : skynet_send(context, 0, self, type | PTYPE_TAG_ALLOCSESSION, 9, block,
                                 strlen(block));
  snprintf(answer, size, "%d", result);
}

static int OnMessage(struct skynet_context* context, void* user_data, int type, int session,
                     uint32_t source, const void* message, size_t size) {
  struct ledger* ledger = user_data;
  char verb[16] = "", word[64] = "", rest[64] = "", answer[128] = "";
  int harbor = 0;
  if (type != PTYPE_TEXT || size == 0) return 0;
  sscanf(message, "%15s %63s %63[^\n]", verb, word, rest);
  if (strcmp(verb, "keep") == 0) return Keep(context, source, session, message, size);
  if (strcmp(verb, "add") == 0) {
    ledger->sum += atol(word);
    snprintf(answer, sizeof(answer), "%ld", ledger->sum);
  } else if (strcmp(verb, "run") == 0) {
    const char* result = skynet_command(context, word, rest);
    snprintf(answer, sizeof(answer), "%s", result != NULL ? result : "nothing");
  } else if (strcmp(verb, "find") == 0) {
    snprintf(answer, sizeof(answer), ":%x", skynet_queryname(context, word));
  } else if (strcmp(verb, "remote") == 0) {
    uint32_t handle = (uint32_t)strtoul(word, NULL, 16);
    int is_remote = skynet_isremote(context, handle, &harbor);
    snprintf(answer, sizeof(answer), "%d %d", is_remote, harbor);
  } else if (strcmp(verb, "tell") == 0) {
    snprintf(answer, sizeof(answer), "%d",
             skynet_sendname(context, 0, word, PTYPE_TEXT | PTYPE_TAG_ALLOCSESSION, 0, rest,
                             strlen(rest)));
  } else if (strcmp(verb, "refuse") == 0) {
    Refuse(context, word, answer, sizeof(answer));
  } else if (strcmp(verb, "signals") == 0) {
    snprintf(answer, sizeof(answer), "%d", ledger->signals);
  } else {
    return 0;
  }
  Reply(context, source, session, answer);
  return 0;
}

void* ledger_create(void) { return skynet_calloc(1, sizeof(struct ledger)); }

int ledger_init(void* instance, struct skynet_context* context, const char* arguments) {
  struct ledger* ledger = instance;
  if (strcmp(arguments, "fail") == 0) return 3;
  ledger->context = context;
  if (strcmp(arguments, "deaf") != 0) skynet_callback(context, ledger, OnMessage);
  skynet_error(context, "ledger begins: %s", arguments);
  return 0;
}

void ledger_release(void* instance) {
  struct ledger* ledger = instance;
  if (ledger->context != NULL) skynet_error(ledger->context, "ledger ends at %ld", ledger->sum);
  skynet_free(ledger);
}

void ledger_signal(void* instance, int signal) { ((struct ledger*)instance)->signals += signal; }
