#include "engine/core/gate_service.h"

#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "engine/core/node.h"

namespace skysim {

namespace {

constexpr size_t kFrameBytesMax = size_t{1} << 24;  // and this is too many
constexpr size_t kIdBytes = 4;                      // behind what is to be written
constexpr int kBacklog = 128;

using Words = std::vector<absl::string_view>;

// "host:port", or the port alone: then every address of the machine.
bool ParseAddress(absl::string_view text, std::string* host, uint16_t* port) {
  size_t colon = text.rfind(':');
  bool has_host = colon != absl::string_view::npos && colon > 0;
  *host = has_host ? std::string(text.substr(0, colon)) : "0.0.0.0";
  uint32_t number = 0;
  absl::string_view digits = colon == absl::string_view::npos ? text : text.substr(colon + 1);
  if (!absl::SimpleAtoi(digits, &number) || number > 0xffff) return false;
  *port = static_cast<uint16_t>(number);
  return true;
}

}  // namespace

absl::Status GateService::Init(ServiceContext& context, const std::string& args) {
  context_ = &context;
  Words words = absl::StrSplit(args, ' ', absl::SkipEmpty());
  std::string host;
  uint16_t port = 0;
  uint32_t type = 0, connections_max = 0;
  if (words.size() != 5 || (words[0] != "S" && words[0] != "L") ||
      !ParseAddress(words[2], &host, &port) || !absl::SimpleAtoi(words[3], &type) || type > 255 ||
      !absl::SimpleAtoi(words[4], &connections_max) || connections_max == 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        "gate needs \"S|L <watchdog|!> <host:port> <client type> <max>\", not \"", args, "\""));
  }
  if (words[1] != "!") {
    watchdog_ = context.node().FindAddress(words[1]).value_or(0);
    if (watchdog_ == 0) {
      return absl::NotFoundError(absl::StrCat("gate: no service is called ", words[1]));
    }
  }
  head_bytes_ = words[0] == "S" ? 2 : 4;
  if (type != 0) client_type_ = static_cast<MessageType>(type);
  connections_max_ = connections_max;
  SocketServer& sockets = context.node().sockets();
  absl::StatusOr<SocketId> listener =
      sockets.Listen(context.handle(), host, port, kBacklog, context.cause());
  if (!listener.ok()) return listener.status();
  listener_ = *listener;
  sockets.Start(context.handle(), listener_, context.cause());
  return absl::OkStatus();
}

void GateService::OnMessage(Message message) {
  switch (message.type) {
    case MessageType::kText: return OnCommand(message.payload.bytes());
    case MessageType::kClient: return OnWrite(std::move(message));
    case MessageType::kSocket: return OnSocket(message);
    default: return;
  }
}

// -- Messages of each type ------------------------------------------------------------------------

void GateService::OnCommand(absl::string_view text) {
  Words words = absl::StrSplit(text, absl::ByAnyChar(" \n"), absl::SkipEmpty());
  absl::string_view verb = words.empty() ? "" : words[0];
  Node& node = context_->node();
  if (verb == "close" && words.size() == 1) {
    if (listener_ >= 0) node.sockets().Close(listener_, context_->cause());
    listener_ = -1;
    return;
  }
  if (verb == "broker" && words.size() == 2) {
    broker_ = node.FindAddress(words[1]).value_or(0);
    if (broker_ == 0) Log(absl::StrCat("gate: no service is called ", words[1]));
    return;
  }
  SocketId fd = 0;
  bool names_socket = words.size() >= 2 && absl::SimpleAtoi(words[1], &fd);
  auto found = names_socket ? connections_.find(fd) : connections_.end();
  bool is_short = words.size() == 2 && (verb == "start" || verb == "kick");
  bool is_forward = words.size() == 4 && verb == "forward";
  if (!names_socket || (!is_short && !is_forward)) {
    return Log(absl::StrCat("gate: unknown command ", text.substr(0, text.find('\n'))));
  }
  if (found == connections_.end()) return;  // it has ended meanwhile
  if (verb == "start") {
    node.sockets().Start(context_->handle(), fd, context_->cause());
  } else if (verb == "kick") {
    node.sockets().Close(fd, context_->cause());
  } else {
    found->second.agent = node.FindAddress(words[2]).value_or(0);
    found->second.client = node.FindAddress(words[3]).value_or(0);
  }
}

void GateService::OnWrite(Message message) {
  absl::string_view bytes = message.payload.bytes();
  if (bytes.size() < kIdBytes) {
    return Log(absl::StrCat("gate: a message to a client has ", bytes.size(),
                            " bytes, less than its number"));
  }
  const absl::string_view id = bytes.substr(bytes.size() - kIdBytes);
  uint32_t fd = 0;
  for (size_t i = 0; i < kIdBytes; ++i) {
    fd |= static_cast<uint32_t>(static_cast<uint8_t>(id[i])) << (8 * i);
  }
  bytes.remove_suffix(kIdBytes);
  Node& node = context_->node();
  if (connections_.count(static_cast<SocketId>(fd)) == 0) {
    return Log(absl::StrCat("gate: a message to client ", fd, ", which is not there"));
  }
  if (bytes.empty()) return;
  node.sockets().Send(static_cast<SocketId>(fd), Payload::Copy(node.platform().memory, bytes),
                      context_->cause());
}

void GateService::OnSocket(const Message& message) {
  SocketMessage event;
  if (message.payload.size() < sizeof(event)) return;
  std::memcpy(&event, message.payload.data(), sizeof(event));
  absl::string_view text = message.payload.bytes().substr(sizeof(event));
  auto type = static_cast<SocketEvent>(event.type);
  auto found = connections_.find(event.id);
  if (type == SocketEvent::kAccept) {
    Accept(event.ud, text);
  } else if (event.id == listener_) {
    if (type == SocketEvent::kError) Log(absl::StrCat("gate: listener: ", text));
  } else if (found != connections_.end()) {
    switch (type) {
      case SocketEvent::kData:
        OnBytes(event.id, found->second,
                absl::string_view(event.buffer, static_cast<size_t>(event.ud)));
        break;
      case SocketEvent::kClose:
      case SocketEvent::kError: End(event.id); break;
      case SocketEvent::kWarning:
        if (event.ud > 0) {
          Log(absl::StrCat("gate: ", event.ud, " KiB wait to be sent to client ", event.id));
        }
        break;
      default: break;
    }
  }
  FreeSocketBuffer(context_->node().platform().memory, message);
}

// -- Connections ----------------------------------------------------------------------------------

void GateService::Accept(SocketId fd, absl::string_view address) {
  if (connections_.size() >= connections_max_) {
    context_->node().sockets().Close(fd, context_->cause());
    return;
  }
  connections_.emplace(fd, Connection());
  absl::string_view ip = address.substr(0, address.rfind(':'));
  Report(absl::StrCat(fd, " open ", fd, " ", ip, ":0"));
}

bool GateService::FrameBytes(absl::string_view bytes, size_t* frame_bytes) const {
  if (bytes.size() < head_bytes_) return false;
  *frame_bytes = 0;
  for (size_t i = 0; i < head_bytes_; ++i) {
    *frame_bytes = *frame_bytes << 8 | static_cast<uint8_t>(bytes[i]);
  }
  return true;
}

void GateService::OnBytes(SocketId fd, Connection& connection, absl::string_view bytes) {
  connection.unread.append(bytes.data(), bytes.size());
  absl::string_view left = connection.unread;
  size_t frame_bytes = 0;
  while (FrameBytes(left, &frame_bytes)) {
    if (frame_bytes >= kFrameBytesMax) {
      Log(absl::StrCat("gate: client ", fd, " sends a frame of ", frame_bytes, " bytes"));
      return End(fd);
    }
    if (left.size() - head_bytes_ < frame_bytes) break;
    Deliver(fd, connection, left.substr(head_bytes_, frame_bytes));
    left.remove_prefix(head_bytes_ + frame_bytes);
  }
  connection.unread.erase(0, connection.unread.size() - left.size());
}

void GateService::Deliver(SocketId fd, const Connection& connection, absl::string_view frame) {
  const Handle to = broker_ != 0 ? broker_ : connection.agent;
  if (to == 0) return Report(absl::StrCat(fd, " data ", frame));
  Node& node = context_->node();
  Message message;
  message.source = broker_ == 0 && connection.client != 0 ? connection.client : context_->handle();
  message.session = fd;
  message.type = client_type_;
  message.payload = Payload::Copy(node.platform().memory, frame);
  message.cause = context_->cause();
  node.Send(to, std::move(message));
}

void GateService::End(SocketId fd) {
  connections_.erase(fd);
  // Our half, if only the peer's has ended.
  context_->node().sockets().Close(fd, context_->cause());
  Report(absl::StrCat(fd, " close"));
}

void GateService::Report(absl::string_view text) {
  if (watchdog_ == 0) return;
  context_->Send(watchdog_, MessageType::kText, 0,
                 Payload::Copy(context_->node().platform().memory, text));
}

void GateService::Log(absl::string_view text) {
  context_->node().Log(context_->handle(), text);
}

}  // namespace skysim
