#ifndef SIMNET_NETWORK_MESSAGE_IN_FLIGHT_H_
#define SIMNET_NETWORK_MESSAGE_IN_FLIGHT_H_

#include <cstdint>
#include <string>

namespace skysim {

// One message of the network that has been sent and has not arrived.
struct MessageInFlight {
  uint64_t id = 0;          // > 0, never used again
  std::string from, to;     // hosts
  const char* kind = "";    // "syn", "syn-ack", "ack", "data", "fin", "rst", "probe", "datagram"
  uint64_t bytes = 0;       // of the program
  bool has_fin = false;     // the stream ends with it
  bool is_held = false;     // waits at the far end until released
  int64_t sent_ns = 0;
  int64_t arrival_ns = 0;   // as far as is known; without meaning if held
  uint64_t connection = 0;  // Network::ConnectionInfo's serial; 0: a datagram
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_MESSAGE_IN_FLIGHT_H_
