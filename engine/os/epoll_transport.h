#ifndef ENGINE_OS_EPOLL_TRANSPORT_H_
#define ENGINE_OS_EPOLL_TRANSPORT_H_

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "engine/os/descriptor.h"
#include "engine/os/name_resolver.h"
#include "engine/os/poller.h"
#include "engine/platform/transport.h"

namespace skysim {

// EpollTransport is the real Transport: non-blocking sockets of Linux, watched with epoll(7), level
// triggered. One per node; a process may have several. Threads are as Transport says; it has none
// of its own but for looking up names: whoever polls (Poller) is the socket thread meanwhile, sleeps
// without a time-out in Wait() and calls the sink in Tell().
//
// An event carries the id of its endpoint, never a descriptor: one that is stale after Close() hits
// nobody. Each call makes its system calls at once, in the caller's thread.
//
// Beyond what Transport promises:
// - Connect() to a name tries its addresses in the resolver's order until one answers, and reports
//   the error of the last. Names are looked up on a thread of their own, in turn. An empty host is
//   this machine.
// - Listen() and OpenUdp() of a name wait for the resolver, as skynet's listen does; a literal, or
//   the empty host (0.0.0.0), never waits. "::" takes IPv4 peers as well, unless the system is set
//   up otherwise (net.ipv6.bindv6only), and names them "::ffff:1.2.3.4".
// - TCP ports are bound with SO_REUSEADDR, so that a restarted node gets its port back; streams
//   have SO_KEEPALIVE (network.md 1.5). SIGPIPE is never raised.
// - OnBroken() comes without a text when the connection ended both ways without an error, a mere
//   hang-up (EPOLLHUP). One break is reported once, until something is switched on again.
// - Without a descriptor Accept() gives one kept in reserve to a waiting connection and closes it.
//   Should another thread snatch the reserve, the listener rests until the next Close(),
//   which takes a new one.
// - Adopt() sets O_NONBLOCK, as skynet's bind does, until Close(); whoever shares the open file
//   (stdout on a terminal!) has it too. What epoll refuses (EPERM: regular files) counts as always
//   ready. Without reading or writing on, a descriptor that is no socket reports nothing: the
//   hang-up of a pipe says nothing of the bytes that are still in it. Errors: FailedPrecondition
//   "Bad file descriptor", AlreadyExists "File exists" (adopted twice).
// Left out: causes, which only a simulated world knows.
class EpollTransport final : public Transport, public Poller {
 public:
  struct Options {
    NameLookup lookup;  // empty: the system's resolver (LookUpHost)
    // The address literal that connections come from. Empty: the system chooses.
    std::string connect_from;
  };

  // ResourceExhausted: no descriptors left (it takes three).
  static absl::StatusOr<std::unique_ptr<EpollTransport>> Make(Options options);
  static absl::StatusOr<std::unique_ptr<EpollTransport>> Make();
  // Nobody polls any more. Closes every endpoint as Close() does. Does not wait for name servers.
  ~EpollTransport() override;
  EpollTransport(const EpollTransport&) = delete;
  EpollTransport& operator=(const EpollTransport&) = delete;

  // SetSink() comes before. What was asked for earlier is told then.
  void Wait() override;
  void Tell() override;
  void Interrupt() override;

  void SetSink(TransportSink* sink) override { sink_ = sink; }
  absl::StatusOr<Listening> Listen(const std::string& host, uint16_t port, int backlog) override;
  absl::StatusOr<Accepted> Accept(EndpointId listener) override;
  EndpointId Connect(const std::string& host, uint16_t port) override;
  void SetReading(EndpointId endpoint, bool on) override;
  void SetWriting(EndpointId endpoint, bool on) override;
  ReadResult Read(EndpointId endpoint, char* buffer, size_t capacity) override;
  WriteResult Write(EndpointId endpoint, absl::string_view bytes) override;
  void ShutdownRead(EndpointId endpoint) override;
  void ShutdownWrite(EndpointId endpoint) override;
  void Close(EndpointId endpoint) override;
  void SetNoDelay(EndpointId endpoint) override;
  Address LocalAddress(EndpointId endpoint) const override;
  absl::StatusOr<EndpointId> OpenUdp(const std::string& host, uint16_t port) override;
  WriteResult SendTo(EndpointId endpoint, const Address& to, absl::string_view bytes) override;
  absl::StatusOr<Datagram> ReceiveFrom(EndpointId endpoint) override;
  absl::StatusOr<std::vector<std::string>> ResolveHost(const std::string& host) override;
  std::string HostName() const override;
  absl::StatusOr<EndpointId> Adopt(int descriptor) override;

 private:
  static constexpr int kEventsMax = 64;  // taken from the kernel at a time: skynet's number

  enum class Kind : uint8_t { kConnecting, kStream, kListener, kUdp, kAdopted };
  // What is still to be tried for a Connect().
  struct Attempt {
    std::vector<std::string> hosts;
    size_t next = 0;
    uint16_t port = 0;
    std::string error;  // of the last one
  };
  struct Endpoint {
    EndpointId id = 0;
    Kind kind = Kind::kConnecting;
    Descriptor descriptor;  // kConnecting: none while the name is looked up, or after a failure
    bool is_reading = false, is_writing = false;
    bool has_ended = false;        // Read() has told the end of the stream
    bool has_told_break = false;   // with nothing on; nothing was switched on since
    bool has_no_delay = false;     // kConnecting: to be set
    bool is_resting = false;       // kListener: no descriptor was left for its next connection
    bool is_always_ready = false;  // kAdopted: epoll refuses it
    bool is_socket = true;
    int flags_before = 0;          // kAdopted
    std::unique_ptr<Attempt> attempt;  // kConnecting
  };
  // What the sink is to be told of one endpoint.
  struct Report {
    enum class Kind : uint8_t { kNothing, kConnected, kConnectFailed, kBroken, kReady };
    Kind kind = Kind::kNothing;
    bool is_readable = false, is_writable = false, is_listener = false;  // kReady
    Address peer;                                                        // kConnected
    std::string error;
  };

  EpollTransport(Options options, Descriptor epoll, Descriptor wake, Descriptor reserve);

  // The table.
  Endpoint* Find(EndpointId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Endpoint& Add(Kind kind, Descriptor descriptor) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remove(EndpointId id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // -1: no such endpoint, or of another kind. Valid until the caller's next Close(): calls come one
  // at a time, and the socket thread closes nothing but what is connecting.
  int DescriptorOf(EndpointId id, Kind kind) const;
  int StreamOf(EndpointId id) const;
  absl::StatusOr<EndpointId> Install(Kind kind, Descriptor descriptor);
  void EndStream(EndpointId id);

  // What epoll watches.
  int Watch(const Endpoint& endpoint, int operation) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Unwatch(const Endpoint& endpoint) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Switch(EndpointId id, bool Endpoint::*direction, bool on);

  // Opening.
  absl::StatusOr<Descriptor> BindTo(const std::string& host, uint16_t port, int type);
  bool ConnectToNext(Endpoint& endpoint) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  int BindConnect(const Descriptor& socket);
  int BeginConnect(Endpoint& endpoint, const std::string& host)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RefuseOne(EndpointId listener, int descriptor);
  void TakeReserve();

  // The socket thread.
  void OnWoken();
  void OnAnswer(const NameResolver::Answer& answer);
  void FailConnect(EndpointId id);
  std::vector<EndpointId> AlwaysReady();
  void Dispatch(EndpointId id, uint32_t ready);
  Report Look(EndpointId id, uint32_t ready) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  Report LookAtConnect(Endpoint& endpoint) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsWriting(EndpointId id);

  const NameLookup lookup_;
  const std::string connect_from_;
  const Descriptor epoll_, wake_;
  Descriptor reserve_;                 // used by calls only
  std::vector<char> datagram_buffer_;  // used by calls only
  TransportSink* sink_ = nullptr;
  std::unique_ptr<NameResolver> resolver_;

  // What Wait() found; of whoever polls.
  std::array<epoll_event, kEventsMax> events_;
  int event_count_ = 0;
  std::vector<EndpointId> ready_anyway_;

  // Held for look-ups and changes, and for the quick system calls that go with them; never while
  // the sink is called.
  mutable absl::Mutex mutex_;
  EndpointId last_id_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::flat_hash_map<EndpointId, Endpoint> endpoints_ ABSL_GUARDED_BY(mutex_);
  std::vector<EndpointId> failed_ ABSL_GUARDED_BY(mutex_);        // connects, to be reported
  std::vector<EndpointId> always_ready_ ABSL_GUARDED_BY(mutex_);  // files
  std::vector<EndpointId> resting_ ABSL_GUARDED_BY(mutex_);       // listeners
};

}  // namespace skysim

#endif  // ENGINE_OS_EPOLL_TRANSPORT_H_
