#ifndef ENGINE_CORE_HARBOR_SERVICE_H_
#define ENGINE_CORE_HARBOR_SERVICE_H_

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "engine/core/harbor_frame.h"
#include "engine/core/service.h"
#include "engine/core/service_context.h"
#include "engine/core/socket_message.h"
#include "engine/core/socket_server.h"

namespace skysim {

// Module "harbor", arguments "<own harbor id> <handle of .cslave>": holds the connections to the
// other slaves of a harbor network, knows the global names, and keeps what is sent to a slave that
// is not connected yet or to a name that nobody registered yet, in order (network.md 5.4, 5.5).
//
// Every message to another node or to a global name passes its mailbox, as in skynet: the node
// pushes it there as type kSystem (OutgoingFrame), and one dispatch sends one message. So nothing
// here has a lock.
//
// Commands of type kHarbor, from .cslave:
//   "S fd id"  a connection that we opened: we tell our id, wait for the peer's, then frames flow
//   "A fd id"  a connection that the peer opened, who has told its id; bytes of the peer that were
//              read behind it follow after a line feed
//   "D id"     a slave that is not connected never will be: what waits for it fails
//   "N name"   the message's source has the name
// To .cslave, as text: "Q name" for each message to an unknown name; "D id" when a slave is down.
//
// A connection that is lost, or a peer that breaks the rules, makes the slave DOWN for good (its id
// cannot come back): the connection is closed, every call that waits for it fails with kError, and
// so does each later one (network.md B4). A call is a request with a session whose source is ours.
// Not known here, so not failed: a request that somebody forwards in another node's name.
//
// A network of one (own id 0): all others are DOWN from the beginning.
class HarborService final : public Service {
 public:
  absl::Status Init(ServiceContext& context, const std::string& args) override;
  void OnMessage(Message message) override;
  void OnSignal(int) override {}

 private:
  enum class State : uint8_t {
    kWait,       // no connection yet
    kHandshake,  // waits for the peer's id; nothing may be sent before
    kUp,
    kDown,
  };
  struct Slave {
    State state = State::kWait;
    SocketId fd = 0;  // while kHandshake or kUp
    std::unique_ptr<HarborFrameDecoder> decoder;
    std::vector<OutgoingFrame> queue;  // until kUp
  };
  // Names one call: who waits for the reply, with which session.
  using CallKey = std::pair<Handle, int32_t>;

  // Messages of each type.
  void OnOutgoing(Message message);
  void OnCommand(const Message& message);
  void OnSocket(const Message& message);

  // Commands.
  void Attach(absl::string_view arguments, bool is_ours);
  void GiveUp(absl::string_view arguments);
  void Bind(absl::string_view name, Handle handle);

  // Out.
  void SendToName(OutgoingFrame frame);
  void SendToHandle(OutgoingFrame frame);
  void Deliver(const OutgoingFrame& frame);
  void Write(const Slave& slave, OutgoingFrame frame);
  void RefuseLarge(const OutgoingFrame& frame);
  void Drop(const OutgoingFrame& frame);

  // In.
  void OnBytes(uint32_t harbor, absl::string_view bytes);
  void OnFrame(uint32_t harbor, HarborFrame frame);
  void BeginFrames(uint32_t harbor);
  void TakeDown(uint32_t harbor, absl::string_view why);

  // Calls in flight.
  void NoteCall(const OutgoingFrame& frame);
  bool EndCall(Handle source, int32_t session);
  size_t FailCalls(uint32_t harbor);

  void SendText(absl::string_view text);
  // Tells whoever waits for the reply to `frame`, if anybody does.
  void FailRequest(const OutgoingFrame& frame);
  void SendError(Handle from, Handle to, int32_t session);
  void Log(absl::string_view text);
  Memory& memory() const;

  ServiceContext* context_ = nullptr;
  Handle slave_service_ = 0;  // .cslave
  uint32_t own_ = 0;
  std::array<Slave, 256> slaves_;  // by harbor id
  absl::flat_hash_map<SocketId, uint32_t> by_fd_;
  std::map<std::string, Handle, std::less<>> names_;
  std::map<std::string, std::vector<OutgoingFrame>, std::less<>> unnamed_;
  absl::flat_hash_map<CallKey, Handle> calls_;  // -> callee
  // Drops are logged once per burst: a line, then silence for a second, then how many there were.
  int64_t quiet_until_ns_ = 0;
  int64_t quiet_drops_ = 0;
};

}  // namespace skysim

#endif  // ENGINE_CORE_HARBOR_SERVICE_H_
