#ifndef ENGINE_CORE_SOCKET_SERVER_H_
#define ENGINE_CORE_SOCKET_SERVER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "engine/core/message.h"
#include "engine/core/socket_message.h"
#include "engine/core/write_queue.h"
#include "engine/platform/clock.h"
#include "engine/platform/executor.h"
#include "engine/platform/memory.h"
#include "engine/platform/observer.h"
#include "engine/platform/transport.h"

namespace skysim {

// Socket id as services see it: 1 .. 2^31-1. Counted up per node; an id comes again only after the
// counter went round; 0 is skipped (network.md 1.2, B12).
using SocketId = int32_t;

// Receives the events of sockets, under the server's lock: it must not call the server back, nor
// destroy what might.
class SocketEventSink {
 public:
  virtual ~SocketEventSink() = default;
  // Puts a kSocket message into `owner`'s mailbox. If `owner` is gone the message is dropped and
  // the sink frees message.buffer; the socket stays. `cause` is the index of the event that led to
  // it. `text` (empty unless message.buffer is null) lives until the call returns.
  virtual void OnSocketEvent(Handle owner, SocketMessage message, absl::string_view text,
                             uint64_t cause) = 0;
  // Something that the log should tell, about a socket of `owner`.
  virtual void OnSocketLog(Handle owner, absl::string_view text) = 0;
};

// What `skynet.socketdriver.info` tells about one socket.
struct SocketInfo {
  SocketId id;
  Handle owner;
  const char* type;     // LISTEN TCP UDP BIND CLOSING UNKNOWN
  std::string address;  // a listener's or bound UDP socket's own address, else the peer's; or empty
  uint64_t read_bytes, write_bytes, accepted;
  // Of the last read (a listener's: accept) and write, since the server began; 0 = never.
  int64_t read_time_ns, write_time_ns;
  uint64_t queued_bytes;
  bool reading, writing;
};

// SocketServer gives a node's services their sockets: ids, states, the high and low write queues,
// half-close, warnings, ownership - every rule of network.md 1.2 to 1.7 - over any Transport. The
// same code runs over epoll and over the simulated network.
//
// Services call the public operations during a dispatch. What they return is decided at once; their
// effect goes through the executor (at once, or deferred when the dispatch is stretched), in call
// order. Events go to the sink in the order in which they happened. B1: an id accepts and queues
// data from the moment it exists.
//
// Threads: operations from any; a lock inside makes operations and transport callbacks happen one
// after another. The sink is called under it, so that one socket's events keep their order whoever
// causes them.
//
// The last argument of an operation, `cause`, is the index of the event (dispatch) on whose behalf it
// is called; 0 = nobody knows.
//
// Unlike skynet's, a listener that has no descriptor or id for its next connections tells it once,
// until one is accepted again: a log that fills does not help then.
//
// Left out: send objects (buffers with a foreign free function), for which there is no Lua API.
class SocketServer final : private TransportSink {
 public:
  struct Options {
    SocketId first_id = 1;  // tests begin shortly before the counter goes round
    // A send to a connection for which this much waits already closes it, with a kError and a kClose
    // event; a datagram is dropped. 0: no limit, as in skynet.
    size_t queue_bytes_max = 0;
  };

  // All borrowed for the server's life, the transport until Abandon(). Neither the transport nor a
  // deferred effect may call the server after its death. The destructor closes nothing: the
  // transport's end does.
  SocketServer(Transport& transport, Executor& executor, Memory& memory, Observer& observer,
               const Clock& clock, SocketEventSink& sink, Options options);
  SocketServer(Transport& transport, Executor& executor, Memory& memory, Observer& observer,
               const Clock& clock, SocketEventSink& sink);
  ~SocketServer() override;
  SocketServer(const SocketServer&) = delete;
  SocketServer& operator=(const SocketServer&) = delete;

  // The node has crashed, or ends: every socket is forgotten without a word to transport or owner,
  // and operations do nothing from now on (ids are dead, what would make a socket fails with
  // Unavailable). A service's finalisers may still close its sockets then.
  void Abandon();

  // -- Operations of services. `owner` is the calling service. -----------------------------------

  // Asynchronous; answers with one kConnect or kError event. -1: no free slot (65536).
  SocketId Connect(Handle owner, const std::string& host, uint16_t port, uint64_t cause = 0);
  // Binds at once. The error text is "Listen error: " and the reason. A kConnect event with the
  // real port follows. Accepts only after Start().
  absl::StatusOr<SocketId> Listen(Handle owner, const std::string& host, uint16_t port,
                                  int backlog, uint64_t cause = 0);
  // Wraps an OS descriptor; answers with a kConnect event. Unimplemented where the transport has
  // none; ResourceExhausted without a free slot.
  absl::StatusOr<SocketId> Bind(Handle owner, int descriptor, uint64_t cause = 0);

  // Starts, resumes or takes over; the answer is a kConnect event, or a kError event to `owner`.
  void Start(Handle owner, SocketId id, uint64_t cause = 0);
  void Pause(SocketId id, uint64_t cause = 0);
  // Close sends what is queued first; Shutdown throws it away. A dead id is ignored.
  void Close(SocketId id, uint64_t cause = 0);
  void Shutdown(SocketId id, uint64_t cause = 0);
  void NoDelay(SocketId id, uint64_t cause = 0);

  // False: the id is dead or closing; the data is freed. True promises nothing more. Send() writes
  // at once when nothing is queued; SendLow() always queues.
  bool Send(SocketId id, Payload data, uint64_t cause = 0);
  bool SendLow(SocketId id, Payload data, uint64_t cause = 0);

  // UDP sockets read from the beginning. An empty host and port 0: unbound, IPv4. Errors are the
  // transport's; ResourceExhausted without a free slot.
  absl::StatusOr<SocketId> Udp(Handle owner, const std::string& host, uint16_t port,
                               uint64_t cause = 0);
  // Port 0 is refused (InvalidArgument).
  absl::StatusOr<SocketId> UdpListen(Handle owner, const std::string& host, uint16_t port,
                                     uint64_t cause = 0);
  // An unbound socket with a default destination, for Send().
  absl::StatusOr<SocketId> UdpDial(Handle owner, const std::string& host, uint16_t port,
                                   uint64_t cause = 0);
  // Sets the default destination. A dead id, or one that is not UDP, is ignored.
  absl::Status UdpConnect(SocketId id, const std::string& host, uint16_t port,
                          uint64_t cause = 0);
  // `address` is packed as udp_address.h says. False: the id is dead or closing, or the address
  // malformed.
  bool UdpSend(SocketId id, absl::string_view address, Payload data, uint64_t cause = 0);

  // Numeric addresses of a host name; the transport's answer.
  absl::StatusOr<std::vector<std::string>> Resolve(const std::string& host);

  // Every socket, in order of its slot (id mod 65536). What the caller has written so far counts.
  std::vector<SocketInfo> Info() const;

  // Where the buffers of kData and kUdp events come from, and payloads to send.
  Memory& memory() { return memory_; }

 private:
  struct Socket;
  struct Command;
  enum class State : uint8_t;

  void OnConnected(EndpointId endpoint, const Address& peer) override;
  void OnConnectFailed(EndpointId endpoint, absl::string_view error) override;
  void OnAcceptable(EndpointId listener) override;
  void OnReadable(EndpointId endpoint) override;
  void OnWritable(EndpointId endpoint) override;
  void OnBroken(EndpointId endpoint, absl::string_view error) override;

  // Slots. All under the lock.
  Socket* Find(SocketId id) const;
  Socket* FindEndpoint(EndpointId endpoint) const;
  Socket* Allocate(Handle owner, State state);  // null: no free slot
  absl::StatusOr<Socket*> Install(Handle owner, State state, EndpointId endpoint);
  absl::StatusOr<Socket*> InstallUdp(Handle owner, const std::string& host, uint16_t port,
                                     uint64_t cause);
  absl::StatusOr<Address> ResolveNumeric(const std::string& host, uint16_t port);
  void SetEndpoint(Socket& socket, EndpointId endpoint);
  void Free(Socket& socket);
  void CloseAndFree(Socket& socket);

  // Effects of operations. Submit() and SubmitSend() take the lock; all that follows has it.
  void Submit(Command command);
  bool SubmitSend(Command command);  // false: dead or closing
  void Apply(Command& command);
  void ApplyConnect(Socket& socket, Command& command);
  void ApplyAnnounce(Socket& socket, Command& command);
  void ApplyStart(Command& command);
  void ApplyClose(Socket& socket, uint64_t cause);
  void ApplyShutdown(Socket& socket, uint64_t cause);
  void ApplySend(Socket& socket, Command& command);
  void ApplySetPeer(Socket& socket, Command& command);

  // Writing.
  enum class Wrote { kItem, kFull, kFailed };  // after kFailed the socket may be gone
  void Enqueue(Socket& socket, WriteQueue::Item item, bool is_low);  // the socket may be gone after
  void OnQueueFull(Socket& socket, uint64_t cause);
  void SendDirect(Socket& socket, WriteQueue::Item item);
  Wrote WriteFront(Socket& socket);
  Wrote WriteStream(Socket& socket);
  Wrote WriteDatagram(Socket& socket);
  void Flush(Socket& socket);  // the socket may be gone after
  void OnWriteError(Socket& socket, absl::string_view error, uint64_t cause);
  void WarnIfFull(Socket& socket, uint64_t cause);

  // Reading.
  void ReadStream(Socket& socket);
  bool ReadOnce(Socket& socket);  // true: the buffer was filled, read again
  void ReadDatagrams(Socket& socket);
  void TellDatagram(Socket& socket, const Datagram& datagram);
  void EndUdp(Socket& socket, absl::string_view error);
  void OnStreamEnd(Socket& socket);

  void SetReading(Socket& socket, bool on);
  void SetWriting(Socket& socket, bool on);

  // Events.
  uint64_t Record(EventKind kind, const Socket& socket, uint64_t cause, absl::string_view text,
                  uint64_t size = 0, absl::string_view bytes = {});
  void Tell(Handle owner, SocketEvent event, SocketId id, int32_t ud, absl::string_view text,
            uint64_t cause);
  void TellBuffer(const Socket& socket, SocketEvent event, char* buffer, size_t size,
                  uint64_t cause);
  void TellError(const Socket& socket, absl::string_view text, uint64_t cause);
  void TellClosed(Socket& socket, uint64_t cause);  // once per socket
  int64_t Now() const { return clock_.NowNs() - begin_ns_; }

  Transport& transport_;
  Executor& executor_;
  Memory& memory_;
  Observer& observer_;
  const Clock& clock_;
  SocketEventSink& sink_;
  const int64_t begin_ns_;
  const size_t queue_bytes_max_;

  mutable absl::Mutex mutex_;  // guards what follows, and every call of transport_ and sink_
  bool is_abandoned_ = false;
  SocketId next_id_;
  std::vector<std::unique_ptr<Socket>> slots_;  // by id mod 65536; grows as far as needed
  absl::flat_hash_map<EndpointId, Socket*> by_endpoint_;
};

}  // namespace skysim

#endif  // ENGINE_CORE_SOCKET_SERVER_H_
