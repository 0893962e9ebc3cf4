#ifndef ENGINE_CORE_GATE_SERVICE_H_
#define ENGINE_CORE_GATE_SERVICE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "absl/strings/string_view.h"
#include "engine/core/service.h"
#include "engine/core/service_context.h"
#include "engine/core/socket_message.h"
#include "engine/core/socket_server.h"

namespace skysim {

// Module "gate", arguments "S|L <watchdog|!> <host:port> <client type> <max>": a listener whose
// streams are cut into frames behind a length of 2 (S) or 4 (L) bytes, big-endian. The watchdog is
// ":hex" or ".name"; "!": nobody. Client type 0 means kClient; max is how many connections there
// may be, one more is closed at once.
//
// Commands of type kText, each a line:
//   "start fd"                   begins to read the connection
//   "forward fd :agent :client"  frames go to the agent, as if from the client (0: from the gate)
//   "broker .name"               frames of every connection go there
//   "kick fd"                    closes the connection
//   "close"                      closes the listener
// To the watchdog, as text: "fd open fd ip:0", "fd close", and "fd data " with a frame that has
// neither a broker nor an agent. A frame to a broker or agent has the client type and the session
// fd. A message of type kClient is bytes to write, and behind them fd in 4 bytes, little-endian.
//
// A frame of 16 MiB or more ends its connection, and is not kept.
class GateService final : public Service {
 public:
  absl::Status Init(ServiceContext& context, const std::string& args) override;
  void OnMessage(Message message) override;
  void OnSignal(int) override {}

 private:
  struct Connection {
    Handle agent = 0;   // 0: none
    Handle client = 0;  // source of what the agent gets
    std::string unread;
  };

  // Messages of each type.
  void OnCommand(absl::string_view text);
  void OnWrite(Message message);
  void OnSocket(const Message& message);

  void Accept(SocketId fd, absl::string_view address);
  void OnBytes(SocketId fd, Connection& connection, absl::string_view bytes);
  // How many bytes the frame at the front of `bytes` has behind its head; false: more must come.
  bool FrameBytes(absl::string_view bytes, size_t* frame_bytes) const;
  void Deliver(SocketId fd, const Connection& connection, absl::string_view frame);
  void End(SocketId fd);
  void Report(absl::string_view text);
  void Log(absl::string_view text);

  ServiceContext* context_ = nullptr;
  size_t head_bytes_ = 2;
  Handle watchdog_ = 0;  // 0: none
  Handle broker_ = 0;    // 0: none
  MessageType client_type_ = MessageType::kClient;
  size_t connections_max_ = 0;
  SocketId listener_ = -1;  // -1: closed
  std::map<SocketId, Connection> connections_;
};

}  // namespace skysim

#endif  // ENGINE_CORE_GATE_SERVICE_H_
