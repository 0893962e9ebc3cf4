#ifndef SIMNET_NETWORK_IN_FLIGHT_H_
#define SIMNET_NETWORK_IN_FLIGHT_H_

#include <cstdint>
#include <map>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "simnet/network/message_in_flight.h"
#include "simnet/network/pipe.h"

namespace skysim {

class Connection;
class DatagramFlight;
class Fabric;

// InFlight names what is on its way, so that a story can act on one message. It costs nothing
// while nobody asks: a message has no id of its own, it is known by what it is part of, where it
// begins there and when it was sent. One thread.
class InFlight final {
 public:
  // Borrowed.
  explicit InFlight(Fabric& fabric) : fabric_(fabric) {}

  // In order of sending. Ids of messages that are gone are forgotten.
  std::vector<MessageInFlight> List();

  // As Network's functions.
  absl::Status Deliver(uint64_t id);
  absl::Status Drop(uint64_t id);
  absl::Status Hold(uint64_t id);
  absl::Status Release(uint64_t id);

 private:
  enum class Part : uint8_t { kForth, kBack, kHandshake, kDatagram };
  // What a message is known by.
  struct Ref {
    uint64_t serial;  // of its connection or datagram
    Part part;
    FlightKey key;    // kForth, kBack; else only sent_ns counts

    bool operator<(const Ref& other) const {
      return std::tie(serial, part, key) < std::tie(other.serial, other.part, other.key);
    }
  };

  template <typename Act>
  absl::Status ActOn(uint64_t id, Act act);
  void Add(const Ref& ref, MessageInFlight message, std::vector<MessageInFlight>* list);
  void AddConnection(uint64_t serial, const Connection& connection,
                     std::vector<MessageInFlight>* list);

  Fabric& fabric_;
  uint64_t id_ = 0;  // the last one given
  std::map<Ref, uint64_t> ids_, old_ids_;
  std::map<uint64_t, Ref> refs_;
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_IN_FLIGHT_H_
