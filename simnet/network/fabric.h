#ifndef SIMNET_NETWORK_FABRIC_H_
#define SIMNET_NETWORK_FABRIC_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "engine/platform/transport.h"
#include "simnet/choice/choice_source.h"
#include "simnet/network/host.h"
#include "simnet/network/link.h"
#include "simnet/network/link_config.h"
#include "simnet/time/event_queue.h"

namespace skysim {

class Connection;
class DatagramFlight;

// Fabric owns what the parts of a network share: hosts, links, connections, datagrams under way.
// Only what exists is ever walked: links are made by their first use, and nothing visits all pairs.
// One thread.
class Fabric final : public Happening {
 public:
  Fabric(ChoiceSource& choices, EventQueue& events);
  ~Fabric() override;

  ChoiceSource& choices;
  EventQueue& events;
  LinkConfig default_link;

  Host& AddHost(const std::string& name, const std::string& ip);
  Host* FindHostByName(absl::string_view name) const;
  Host* FindHostByIp(absl::string_view ip) const;
  const std::vector<std::unique_ptr<Host>>& hosts() const { return hosts_; }

  // The link, made if it is the first use.
  Link& LinkOf(const Host& from, const Host& to);
  // All that were made, in an order that repeats.
  std::vector<Link*> Links() const;

  // Begins to connect; `endpoint` of `from`'s transport is told the outcome.
  Connection& Connect(Host& from, Host& to, const Address& from_address, const Address& to_address,
                      EndpointId endpoint);
  // In order of their making.
  const std::map<uint64_t, std::unique_ptr<Connection>>& connections() const {
    return connections_;
  }
  // Connection `serial` is over. Destroyed by an event, so that it may be in the midst of a call.
  void Remove(uint64_t serial);

  void SendDatagram(Host& from, Host& to, const Address& from_address, const Address& to_address,
                    absl::string_view bytes);
  void RemoveDatagram(uint64_t serial);
  // In order of sending.
  std::map<uint64_t, DatagramFlight*> Datagrams() const;
  DatagramFlight* FindDatagram(uint64_t serial) const;

 private:
  void Happen(uint64_t serial) override;
  LinkStreams& DatagramStreamsOf(const Link& link);

  std::vector<std::unique_ptr<Host>> hosts_;
  absl::flat_hash_map<std::string, Host*> by_name_, by_ip_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<Link>> links_;  // by both ids
  LinkConfig self_link_;  // of a host to itself
  absl::flat_hash_map<const Link*, std::unique_ptr<LinkStreams>> datagram_streams_;

  uint64_t serial_ = 0;
  std::map<uint64_t, std::unique_ptr<Connection>> connections_;
  absl::flat_hash_map<uint64_t, std::unique_ptr<DatagramFlight>> datagrams_;
};

}  // namespace skysim

#endif  // SIMNET_NETWORK_FABRIC_H_
