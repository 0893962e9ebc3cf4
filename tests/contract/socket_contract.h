#ifndef TESTS_CONTRACT_SOCKET_CONTRACT_H_
#define TESTS_CONTRACT_SOCKET_CONTRACT_H_

#include "tests/contract/transport_contract.h"

namespace skysim {

// What services see of their sockets: the rules of network.md 1.2 to 1.7, as claims about a
// SocketServer over any transport. Each transport's test calls each function within a TEST_CASE of
// its own; each section begins with a fresh world. The peer is a bare transport that does what the
// section says (tests/contract/socket_net.h).
//
// Left to the transports, because they differ by nature: where data is cut (events of data that
// follow each other count as one), how long anything takes, how much the buffers between two nodes
// hold, whether a break is found as "Broken pipe" or "Connection reset by peer" by a write that
// comes at that moment, descriptors of the system (a transport has them or refuses to bind).
//
// A rule and the section that holds it. "unit" is tests/engine/core/socket_server_test.cc, for what
// no peer can see or bring about; "epoll" is tests/engine/os/epoll_transport_test.cc.
//
// 1.2 ids
//   from 1 up, not reused; 0 skipped (B12)     Ids: "ids count from 1, wrap to 1 and are not reused"
//   a busy slot is skipped; a stale id is dead Ids: "an id whose slot is busy is skipped ..."
//   no free slot                               unit: "without a free slot connect, udp and ..."
//   both ends in one process                   Ids: "a node connects to itself under two ids"
// 1.3 events
//   DATA, ud = bytes > 0                       Events: "data is told with its size ..."
//   CONNECT of a connect                       Events: "a finished connect is told with ..."
//   CONNECT of listen, port 0                  Events: "listen tells its real port and address"
//   start: "start", "transfer"                 Events: "start answers start on a listener ..."
//   bind: "binding"                            Events: "bind answers binding, ..."
//   ACCEPT, IPv6 without brackets              Events: "an accept is told with the peer's ..."
//   CLOSE at most once                         Closing, every section
//   UDP, packed address                        Datagrams: "datagrams arrive with an address ..."
//   exactly one of CONNECT and ERROR           Events: "a failed connect is one error and no ..."
//   start that only enables reading            Events: "start is silent while connecting ..."
//   start of a dead id, of an ended one        Events: "start of what is dead ... its caller"
//   text of at most 128 bytes                  unit: "event texts have at most 128 bytes"
// 1.4 states
//   RESERVE (B1)                               States: "data sent before the connect has begun ..."
//   CONNECTING                                 States: "data sent while connecting ..." (2)
//   CONNECTED, paused                          States: "a paused socket reads nothing ..."
//   PACCEPT                                    States: "an accepted socket delivers nothing ..."
//   PLISTEN, LISTEN                            States: "a listener accepts only after start",
//                                              "data sent to a listener is dropped and logged"
//   HALFCLOSE_READ                             Closing: "after the peer's end writing goes on",
//                                              "close with 8 MiB queued ..."
//   HALFCLOSE_WRITE                            States: "after a failed write sends are dropped ..."
//   BIND                                       Events: "bind answers binding, ..."
//   transfer of ownership                      States: "whoever starts a socket owns it"
// 1.5 close, shutdown, EOF, errors: Closing, one section each row, in order of the table; the rules
//   under it: 1 "data before the end is told before the close", 2 and 3 "the owner hears of a close,
//   whoever called it, once", 4 "an error is not final ...", 5 States "an accepted socket ...",
//   6 epoll "epoll keeps streams alive ...", 7 "a paused or idle socket notices a reset, not an end"
// 1.6 writing: Writing
//   high before low; an item whole             "high goes out before low, ..."
//   a low item that has begun                  "a low item that has begun is not cut"
//   lsend into empty queues                    "no send overtakes an lsend into empty queues"
//   lsend never writes at once                 unit: "lsend never writes at once"
//   direct write                               "send writes at once when nothing is queued"
//   its rest comes first; #774                 "a short direct write keeps its place (#774)"
//   #744                                       "a queue is empty when both are (#744)"
//   two services                               "two threads' sends to one socket are not mixed"
//   return value                               "a send is true unless the id is dead or closing"
// 1.7 warnings: Warnings
//   1, 2, 4 MiB, then 0                        "warnings come at 1, 2, 4 ... MiB, and 0 when ..."
//   a huge direct write                        "a huge direct write raises none, the next send does"
// and of ours: the limit of queued bytes      "a send beyond the limit closes the connection ..."
void CheckSocketIds(const MakeTransportWorld& make);
void CheckSocketEvents(const MakeTransportWorld& make);
void CheckSocketStates(const MakeTransportWorld& make);
void CheckSocketClosing(const MakeTransportWorld& make);
void CheckSocketWriting(const MakeTransportWorld& make);
void CheckSocketWarnings(const MakeTransportWorld& make);
void CheckSocketDatagrams(const MakeTransportWorld& make);

}  // namespace skysim

#endif  // TESTS_CONTRACT_SOCKET_CONTRACT_H_
