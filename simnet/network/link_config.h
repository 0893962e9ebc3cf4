#ifndef SIMNET_NETWORK_LINK_CONFIG_H_
#define SIMNET_NETWORK_LINK_CONFIG_H_

#include <cstdint>

namespace skysim {

// How long a segment takes over a link. Choice 0 always gives the usual delay, `min_ns`, so that an
// all-zero run is calm.
struct Delay {
  enum class Shape { kConstant, kUniform, kExponential };
  Shape shape = Shape::kConstant;
  int64_t min_ns = 500'000;  // LAN: half a millisecond one way
  int64_t max_ns = 500'000;  // uniform: inclusive; exponential: cap of the tail
  int64_t mean_ns = 0;       // exponential: mean of what is added to min
};

// A probability as a ratio; 0 in 1 = never.
struct Ratio {
  uint64_t numerator = 0;
  uint64_t denominator = 1;
};

// Loss that comes in bursts (Gilbert 1960, Elliott 1963; tc-netem(8) "loss gemodel"): the link is
// calm or in a burst, and may change with each segment, whoever sends it.
struct Bursts {
  Ratio enter;           // a calm link enters a burst; 0: there are none
  Ratio leave{1, 10};    // a burst ends; its mean length is the inverse, in segments
  Ratio loss{1, 1};      // within a burst
  Ratio calm_loss;       // between bursts
};

// How one link (one direction between two nodes) behaves. Times ns, rates bytes per second.
struct LinkConfig {
  Delay delay;
  int64_t jitter_ns = 0;               // added to any delay: 0 .. jitter, all equally likely
  Ratio loss;                          // per segment; TCP: late by retransmission, UDP: gone
  Bursts bursts;                       // instead of `loss`
  uint64_t bandwidth_bytes_per_s = 0;  // 0 = unlimited; shared by all that uses the link
  // With a bandwidth: what would make more bytes than this wait for the link, the segment that it
  // sends just now included, is lost (tail drop). A stream that has bytes waiting fills the queue
  // and no more, as congestion control makes it do. 0: nothing is lost, and a stream keeps to a few
  // segments, as if it had the queue of its own machine only.
  uint64_t queue_bytes = 0;
  uint32_t mss_bytes = 1460;           // largest segment of TCP; loopback-like links may use 65536
  uint32_t mtu_bytes = 1500;           // UDP: larger datagrams travel in fragments
  Ratio duplicate, reorder;            // UDP only
  // How the receiver finds the stream cut: 0 = as it was sent and arrived; otherwise each delivery
  // may be split at a chosen byte with this probability.
  Ratio split;

  // Buffers of a connection's direction over this link. The usual values are what Linux's automatic
  // tuning ends at: about 2.5 MiB of tcp_wmem's 4 MiB, and half of tcp_rmem's 6 MiB as window. Read
  // anew at each write and read, so that a test may shrink them.
  uint64_t send_buffer_bytes = 2'621'440;
  uint64_t receive_window_bytes = 3'145'728;
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_LINK_CONFIG_H_
