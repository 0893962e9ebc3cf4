#include "simnet/network/in_flight.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "simnet/network/connection.h"
#include "simnet/network/datagram_flight.h"
#include "simnet/network/fabric.h"

namespace skysim {
namespace {

const char* KindOf(const Pipe::Listed& flight) {
  switch (flight.key.kind) {
    case SegmentKind::kData:
      return flight.bytes == 0 ? "fin" : "data";
    case SegmentKind::kEstablish:
      return "ack";
    case SegmentKind::kProbe:
      return "probe";
    case SegmentKind::kReset:
      return "rst";
  }
  return "";
}

}  // namespace

void InFlight::Add(const Ref& ref, MessageInFlight message, std::vector<MessageInFlight>* list) {
  const auto known = old_ids_.find(ref);
  message.id = known == old_ids_.end() ? ++id_ : known->second;
  ids_.emplace(ref, message.id);
  refs_.emplace(message.id, ref);
  list->push_back(std::move(message));
}

void InFlight::AddConnection(uint64_t serial, const Connection& connection,
                             std::vector<MessageInFlight>* list) {
  if (const std::optional<Connection::Packet> packet = connection.FindPacket()) {
    MessageInFlight message;
    message.kind = packet->kind;
    message.from = connection.HostOf(packet->from_side).name;
    message.to = connection.HostOf(1 - packet->from_side).name;
    message.is_held = packet->is_held;
    message.sent_ns = packet->sent_ns;
    message.arrival_ns = packet->arrival_ns;
    message.connection = serial;
    Add({serial, Part::kHandshake, {0, packet->sent_ns, SegmentKind::kEstablish}},
        std::move(message), list);
  }
  for (int direction : {0, 1}) {
    for (const Pipe::Listed& flight : connection.PipeOf(direction).List()) {
      MessageInFlight message;
      message.kind = KindOf(flight);
      message.from = connection.HostOf(direction).name;
      message.to = connection.HostOf(1 - direction).name;
      message.bytes = flight.bytes;
      message.has_fin = flight.has_fin;
      message.is_held = flight.is_held;
      message.sent_ns = flight.key.sent_ns;
      message.arrival_ns = flight.arrival_ns;
      message.connection = serial;
      Add({serial, direction == 0 ? Part::kForth : Part::kBack, flight.key}, std::move(message),
          list);
    }
  }
}

std::vector<MessageInFlight> InFlight::List() {
  old_ids_ = std::exchange(ids_, {});
  refs_.clear();
  std::vector<MessageInFlight> list;
  for (const auto& [serial, connection] : fabric_.connections()) {
    AddConnection(serial, *connection, &list);
  }
  for (const auto& [serial, datagram] : fabric_.Datagrams()) {
    MessageInFlight message;
    message.kind = "datagram";
    message.from = datagram->from().name;
    message.to = datagram->to().name;
    message.bytes = datagram->bytes();
    message.is_held = datagram->is_held();
    message.sent_ns = datagram->sent_ns();
    message.arrival_ns = datagram->arrival_ns();
    Add({serial, Part::kDatagram, {0, datagram->sent_ns(), SegmentKind::kData}},
        std::move(message), &list);
  }
  std::stable_sort(list.begin(), list.end(),
                   [](const MessageInFlight& a, const MessageInFlight& b) {
                     return a.sent_ns < b.sent_ns;
                   });
  return list;
}

// Calls act(connection or datagram[, ...]) for the message, which is there still if it is true.
template <typename Act>
absl::Status InFlight::ActOn(uint64_t id, Act act) {
  const auto found = refs_.find(id);
  bool is_there = false;
  if (found != refs_.end()) {
    const Ref& ref = found->second;
    const auto connection = fabric_.connections().find(ref.serial);
    const bool has_connection = connection != fabric_.connections().end();
    if (ref.part == Part::kDatagram) {
      DatagramFlight* datagram = fabric_.FindDatagram(ref.serial);
      if (datagram != nullptr) is_there = act(*datagram);
    } else if (has_connection && ref.part == Part::kHandshake) {
      is_there = act(*connection->second, ref.key.sent_ns);
    } else if (has_connection) {
      is_there = act(connection->second->PipeOf(ref.part == Part::kForth ? 0 : 1), ref.key);
    }
  }
  if (is_there) return absl::OkStatus();
  return absl::NotFoundError(absl::StrCat("message ", id, " is not in flight"));
}

absl::Status InFlight::Deliver(uint64_t id) {
  return ActOn(id, [](auto& owner, auto... key) { return owner.DeliverNow(key...); });
}

absl::Status InFlight::Drop(uint64_t id) {
  return ActOn(id, [](auto& owner, auto... key) { return owner.Drop(key...); });
}

absl::Status InFlight::Hold(uint64_t id) {
  return ActOn(id, [](auto& owner, auto... key) { return owner.Keep(key...); });
}

absl::Status InFlight::Release(uint64_t id) {
  return ActOn(id, [](auto& owner, auto... key) { return owner.LetGo(key...); });
}

}  // namespace skysim
