// What is special to the operating system; what every transport promises is in tests/contract.
#include "engine/os/epoll_transport.h"

#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/os/socket_address.h"
#include "tests/contract/contract_node.h"
#include "tests/contract/epoll_world.h"
#include "tests/engine/os/poll_thread.h"

namespace skysim {
namespace {

using Addresses = std::vector<std::string>;

std::unique_ptr<TransportWorld> MakeWorld() { return std::make_unique<EpollWorld>(); }

// -- Descriptors of this process ------------------------------------------------------------------

std::vector<int> OpenDescriptors() {
  std::vector<int> numbers;
  DIR* folder = opendir("/proc/self/fd");
  REQUIRE(folder != nullptr);
  while (const dirent* entry = readdir(folder)) {
    if (entry->d_name[0] != '.') numbers.push_back(std::atoi(entry->d_name));
  }
  closedir(folder);
  return numbers;
}

// The socket with this address at its own end.
int FindDescriptor(const Address& local) {
  for (int number : OpenDescriptors()) {
    if (LocalAddressOf(number) == local) return number;
  }
  FAIL("no socket has " << local.ToString());
  return -1;
}

int OptionOf(int descriptor, int level, int name) {
  int value = 0;
  socklen_t size = sizeof(value);
  REQUIRE(getsockopt(descriptor, level, name, &value, &size) == 0);
  return value;
}

// No descriptor with this number or a higher one is opened while this lives.
class DescriptorLimit final {
 public:
  explicit DescriptorLimit(rlim_t limit) {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit lowered = {limit, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &lowered) == 0);
  }
  ~DescriptorLimit() { setrlimit(RLIMIT_NOFILE, &before_); }

  // No number is free any more.
  static rlim_t AllTaken() {
    const int lowest_free = dup(STDERR_FILENO);
    close(lowest_free);
    return static_cast<rlim_t>(lowest_free);
  }

 private:
  rlimit before_;
};

struct Pipe {
  Pipe() { REQUIRE(pipe2(ends, O_CLOEXEC) == 0); }
  ~Pipe() {
    CloseEnd(0);
    CloseEnd(1);
  }
  void CloseEnd(int end) {
    if (ends[end] >= 0) close(std::exchange(ends[end], -1));
  }
  bool IsOpen(int end) const { return fcntl(ends[end], F_GETFD) >= 0; }

  int ends[2];  // to read from, to write to
};

EndpointId Adopt(ContractNode& node, int descriptor) {
  const absl::StatusOr<EndpointId> id =
      node.Do([&](Transport& t) { return t.Adopt(descriptor); });
  INFO(id.status().message());
  REQUIRE(id.ok());
  return *id;
}

// -- Sockets --------------------------------------------------------------------------------------

TEST_CASE("epoll leaves no descriptor behind") {
  const size_t before = OpenDescriptors().size();
  {
    ContractNet net(MakeWorld);
    net.Link();
    net.node0.Connect("127.0.0.1", 1);
    net.node0.Connect("nowhere", 1);
    net.node1.Listen();
    net.node1.OpenUdp("");
    CHECK(net.node1.ListenError("203.0.113.1", 0).message() == "Cannot assign requested address");
    net.node0.Close(net.Link().first);
    CHECK(OpenDescriptors().size() > before);
  }
  CHECK(OpenDescriptors().size() == before);
}

TEST_CASE("epoll keeps streams alive, hides them from programs it starts, delays on request only") {
  ContractNet net(MakeWorld);
  const auto link = net.Link();
  const Address ends[] = {net.node0.LocalAddress(link.first),
                          net.node1.LocalAddress(link.second)};

  for (const Address& end : ends) {
    const int number = FindDescriptor(end);
    CHECK(OptionOf(number, SOL_SOCKET, SO_KEEPALIVE) == 1);
    CHECK(OptionOf(number, IPPROTO_TCP, TCP_NODELAY) == 0);
    CHECK((fcntl(number, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK((fcntl(number, F_GETFL) & O_NONBLOCK) != 0);
  }
  net.node0.Do([&](Transport& t) { t.SetNoDelay(link.first); });
  CHECK(OptionOf(FindDescriptor(ends[0]), IPPROTO_TCP, TCP_NODELAY) == 1);
}

TEST_CASE("epoll remembers a wish for no delay until the connect has a socket") {
  ContractNet net(MakeWorld);
  const uint16_t port = net.node1.Listen("127.0.0.2").address.port;
  EndpointId client = 0;
  net.InCallbackOf0([&](Transport& transport) {
    client = transport.Connect("b", port);  // its name is looked up first
    transport.SetNoDelay(client);
  });
  REQUIRE(net.WaitUntil([&] { return !net.node0.Of(client).events.empty(); }));

  const int number = FindDescriptor(net.node0.LocalAddress(client));
  CHECK(OptionOf(number, IPPROTO_TCP, TCP_NODELAY) == 1);
}

TEST_CASE("a connection comes from the address that it was told to") {
  ContractNet net(MakeWorld);
  const uint16_t port = net.node1.Listen("127.0.0.2").address.port;
  EpollTransport::Options options;
  options.connect_from = "127.9.8.7";
  absl::StatusOr<std::unique_ptr<EpollTransport>> transport =
      EpollTransport::Make(std::move(options));
  REQUIRE(transport.ok());

  const EndpointId client = (*transport)->Connect("127.0.0.2", port);

  REQUIRE(net.WaitUntil([&] { return !net.node1.Accepted().empty(); }));
  CHECK((*transport)->LocalAddress(client).host == "127.9.8.7");
}

TEST_CASE("without a descriptor epoll refuses one connection at a time, and goes on") {
  ContractNet net(MakeWorld);
  const Transport::Listening listening = net.node1.Listen("0.0.0.0", 0, false);
  std::vector<EndpointId> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(net.node0.Connect("127.0.0.2", listening.address.port));
    REQUIRE(net.WaitUntil([&] { return net.node0.Of(clients.back()).events.size() == 1; }));
  }

  {
    DescriptorLimit limit(DescriptorLimit::AllTaken());
    for (int i = 0; i < 2; ++i) {  // in order of connecting: the reserve is there each time
      const absl::Status status = net.node1.Accept(listening.endpoint).status();
      CHECK(status.code() == absl::StatusCode::kResourceExhausted);
      CHECK(status.message() == "Too many open files");
      REQUIRE(net.WaitUntil([&] { return net.node0.Of(clients[i]).events.size() == 2; }));
      CHECK(net.node0.Of(clients[i]).events[1] == "end");
    }
    const EndpointId late = net.node0.Connect("127.0.0.2", listening.address.port);
    REQUIRE(net.WaitUntil([&] { return !net.node0.Of(late).events.empty(); }));
    CHECK(net.node0.Of(late).events == Events{"failed: Too many open files"});
    CHECK(net.node1.ListenError("", 0).message() == "Too many open files");
    CHECK(EpollTransport::Make().status().message() == "Too many open files");
  }

  const auto accepted = net.node1.Accept(listening.endpoint);
  REQUIRE(accepted.ok());
  CHECK(accepted->peer == net.node0.LocalAddress(clients[2]));
}

TEST_CASE("a listener that cannot even refuse rests until the next close") {
  ContractNet net(MakeWorld);
  const Transport::Listening listening = net.node1.Listen("0.0.0.0", 0, false);
  net.node1.TakeInHand(listening.endpoint);
  const EndpointId other = net.node1.OpenUdp("");
  const EndpointId client = net.node0.Connect("127.0.0.2", listening.address.port);
  net.node1.SetReading(listening.endpoint, true);
  REQUIRE(net.WaitUntil([&] { return net.node1.Of(listening.endpoint).acceptable > 0; }));
  const size_t descriptors = OpenDescriptors().size();

  {
    DescriptorLimit limit(0);  // the number of the reserve is above the limit as well
    const absl::Status status = net.node1.Accept(listening.endpoint).status();
    CHECK(status.message() == "Too many open files");
    net.Settle();
    const int acceptable = net.node1.Of(listening.endpoint).acceptable;
    net.Settle();
    CHECK(net.node1.Of(listening.endpoint).acceptable == acceptable);
  }
  const int acceptable = net.node1.Of(listening.endpoint).acceptable;
  net.node1.Close(other);

  CHECK(OpenDescriptors().size() == descriptors - 1);  // `other` is gone, the reserve is back
  REQUIRE(net.WaitUntil([&] { return net.node1.Of(listening.endpoint).acceptable > acceptable; }));
  CHECK(net.node1.Accept(listening.endpoint).ok());
  CHECK(net.node0.Of(client).events.size() == 1);
}

// -- Events and threads ---------------------------------------------------------------------------

// Its first readiness waits until more is ready; the second closes every endpoint and opens as many
// new ones, which get the same descriptors.
class ClosingSink final : public TransportSink {
 public:
  explicit ClosingSink(EpollTransport& transport) : transport_(transport) {}

  void OnConnected(EndpointId, const Address&) override {}
  void OnConnectFailed(EndpointId, absl::string_view) override {}
  void OnAcceptable(EndpointId) override {}
  void OnWritable(EndpointId) override {}
  void OnBroken(EndpointId, absl::string_view) override {}
  void OnReadable(EndpointId id) override {
    called.push_back(id);
    if (called.size() == 1) {
      entered.Notify();
      go_on.WaitForNotification();
    } else if (called.size() == 2) {
      const size_t count = sockets.size();
      for (EndpointId socket : sockets) transport_.Close(socket);
      sockets.clear();
      for (size_t i = 0; i < count; ++i) Open();
      replaced.Notify();
    } else {
      transport_.SetReading(id, false);
      done.Notify();
    }
  }
  void Open() {
    const EndpointId id = transport_.OpenUdp("127.0.0.1", 0).value();
    transport_.SetReading(id, true);
    sockets.push_back(id);
  }

  std::vector<EndpointId> sockets, called;
  absl::Notification entered, go_on, replaced, done;

 private:
  EpollTransport& transport_;
};

TEST_CASE("an event of a closed endpoint hits nobody, though its descriptor lives again") {
  auto transport = EpollTransport::Make().value();
  auto sender = EpollTransport::Make().value();
  ClosingSink sink(*transport);
  transport->SetSink(&sink);
  for (int i = 0; i < 8; ++i) sink.Open();
  const std::vector<EndpointId> old = sink.sockets;
  const EndpointId from = sender->OpenUdp("", 0).value();
  auto send = [&](EndpointId to) { sender->SendTo(from, transport->LocalAddress(to), "x"); };

  PollThread thread(*transport);
  send(old[0]);
  sink.entered.WaitForNotification();
  for (EndpointId id : old) send(id);  // one batch of eight events
  sink.go_on.Notify();
  sink.replaced.WaitForNotification();
  send(sink.sockets[3]);
  sink.done.WaitForNotification();
  thread.Stop();

  REQUIRE(sink.called.size() == 3);
  CHECK(std::count(old.begin(), old.end(), sink.called[1]) == 1);
  CHECK(sink.called[2] == sink.sockets[3]);
}

TEST_CASE("epoll is silent while nobody polls") {
  ContractMonitor monitor;
  auto transport = EpollTransport::Make().value();
  ContractNode node(monitor, *transport);
  PollThread thread(*transport);
  const EndpointId id = node.OpenUdp("127.0.0.1");
  node.TakeInHand(id);
  node.SendTo(id, node.LocalAddress(id), "never read");
  node.SetReading(id, true);
  const auto is_stormy = [&]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(monitor.mutex) {
    return monitor.callbacks > 100;
  };
  {
    absl::MutexLock lock(&monitor.mutex);
    monitor.mutex.Await(absl::Condition(&is_stormy));
  }

  thread.Stop();

  const int readable = node.Of(id).readable;
  CHECK(node.Do([&](Transport& t) { return t.ReceiveFrom(id); })->bytes == "never read");
  node.Close(id);
  transport.reset();
  CHECK(node.Of(id).readable == readable);
}

TEST_CASE("epoll that nobody ever polled ends as well") {
  auto transport = EpollTransport::Make().value();
  CHECK(transport->Connect("127.0.0.1", 1) > 0);
  CHECK(transport->Listen("127.0.0.1", 0, 1).ok());
}

TEST_CASE("two threads call epoll in turn while it reports") {
  constexpr size_t kRounds = 50, kBytes = 1000;
  ContractNet net(MakeWorld);
  const uint16_t port = net.node1.Listen("127.0.0.2").address.port;

  auto work = [&] {
    for (size_t i = 0; i < kRounds; ++i) {
      const EndpointId id = net.node0.Connect("127.0.0.2", port);
      net.WaitUntil([&] { return !net.node0.Of(id).events.empty(); });
      net.node0.Send(id, std::string(kBytes, 'x'));
      net.node0.Close(id);
    }
  };
  std::thread first(work), second(work);
  first.join();
  second.join();

  CHECK(net.WaitUntil([&] {
    size_t received = 0;
    for (const auto& accepted : net.node1.Accepted()) {
      received += net.node1.Received(accepted.endpoint);
    }
    return received == 2 * kRounds * kBytes;
  }));
}

// -- Names ----------------------------------------------------------------------------------------

TEST_CASE("a connect tries the addresses of a name in order, and reports one end") {
  const auto lookup = [](const std::string& host) -> absl::StatusOr<Addresses> {
    if (host == "second") return Addresses{"127.0.0.3", "127.0.0.2"};
    return Addresses{"127.0.0.3", "not an address"};
  };
  ContractNet net([&] { return std::make_unique<EpollWorld>(lookup); });
  const Address at = net.node1.Listen("127.0.0.2").address;

  const EndpointId good = net.node0.Connect("second", at.port);
  const EndpointId bad = net.node0.Connect("none", at.port);
  REQUIRE(net.WaitUntil([&] {
    return !net.node0.Of(good).events.empty() && !net.node0.Of(bad).events.empty();
  }));
  net.Settle();

  CHECK(net.node0.Of(good).events == Events{"connected " + at.ToString()});
  CHECK(net.node0.Of(bad).events == Events{"failed: Address family not supported by protocol"});
}

// What a look-up waits for, and whether it came back; it may outlive the transport.
struct SlowLookup {
  absl::Notification asked, answer, answered;
};

NameLookup WaitingFor(std::shared_ptr<SlowLookup> slow) {
  return [slow](const std::string& host) -> absl::StatusOr<Addresses> {
    if (host != "slow") return EpollWorld::LookUp(host);
    slow->asked.Notify();
    slow->answer.WaitForNotification();
    slow->answered.Notify();
    return Addresses{"127.0.0.2"};
  };
}

TEST_CASE("a name server that is slow holds nobody up, and a close meanwhile is honoured") {
  auto slow = std::make_shared<SlowLookup>();
  ContractNet net([&] { return std::make_unique<EpollWorld>(WaitingFor(slow)); });
  const uint16_t port = net.node1.Listen("127.0.0.2").address.port;

  const EndpointId waiting = net.node0.Connect("slow", port);
  slow->asked.WaitForNotification();
  const EndpointId literal = net.node0.Connect("127.0.0.2", port);
  REQUIRE(net.WaitUntil([&] { return !net.node0.Of(literal).events.empty(); }));
  net.node0.Close(waiting);
  slow->answer.Notify();
  const EndpointId next = net.node0.Connect("b", port);  // asked after it, so answered after it
  REQUIRE(net.WaitUntil([&] { return !net.node0.Of(next).events.empty(); }));

  CHECK(net.node0.Of(waiting).events.empty());
  REQUIRE(net.WaitUntil([&] { return net.node1.Accepted().size() >= 3; }));
  CHECK(net.node1.Accepted().size() == 3);  // Settle()'s, and two
}

TEST_CASE("epoll does not wait for a name server when it ends") {
  auto slow = std::make_shared<SlowLookup>();
  {
    ContractNet net([&] { return std::make_unique<EpollWorld>(WaitingFor(slow)); });
    net.node0.Connect("slow", 1);
    slow->asked.WaitForNotification();
  }
  slow->answer.Notify();
  slow->answered.WaitForNotification();
}

TEST_CASE("the system knows localhost, and no name with a blank in it") {
  const absl::StatusOr<Addresses> local = LookUpHost("localhost");
  REQUIRE(local.ok());
  CHECK(std::count(local->begin(), local->end(), "127.0.0.1") == 1);

  const absl::Status unknown = LookUpHost("no name").status();
  CHECK(unknown.code() == absl::StatusCode::kNotFound);
  CHECK(unknown.message() == "Name or service not known");
}

// -- Descriptors of others ------------------------------------------------------------------------

TEST_CASE("a pipe is adopted, read to its end, and left open as it was") {
  ContractNet net(MakeWorld);
  Pipe pipe;
  const int flags = fcntl(pipe.ends[0], F_GETFL);
  const EndpointId id = Adopt(net.node0, pipe.ends[0]);
  net.node0.SetReading(id, true);

  REQUIRE(write(pipe.ends[1], "line\n", 5) == 5);
  REQUIRE(net.WaitUntil([&] { return net.node0.Received(id) == 5; }));
  pipe.CloseEnd(1);
  REQUIRE(net.WaitUntil([&] { return !net.node0.Of(id).events.empty(); }));
  net.Settle();
  CHECK(net.node0.Of(id).events == Events{"end"});

  CHECK(fcntl(pipe.ends[0], F_GETFL) == (flags | O_NONBLOCK));
  net.node0.Close(id);
  CHECK(pipe.IsOpen(0));
  CHECK(fcntl(pipe.ends[0], F_GETFL) == flags);
}

TEST_CASE("a pipe that is not read keeps its bytes, though its writer has hung up") {
  ContractNet net(MakeWorld);
  Pipe pipe;
  const EndpointId id = Adopt(net.node0, pipe.ends[0]);
  REQUIRE(write(pipe.ends[1], "kept", 4) == 4);
  pipe.CloseEnd(1);
  net.Settle();
  CHECK(net.node0.Of(id).events.empty());

  net.node0.SetReading(id, true);

  REQUIRE(net.WaitUntil([&] { return !net.node0.Of(id).events.empty(); }));
  CHECK(net.node0.Of(id).bytes == "kept");
}

TEST_CASE("a pipe is written while there is room, and breaks without a signal") {
  ContractNet net(MakeWorld);
  Pipe pipe;
  const EndpointId id = Adopt(net.node0, pipe.ends[1]);
  net.node0.TakeInHand(id);
  const std::string bytes(4096, 'x');
  size_t filled = 0;
  while (const size_t size = net.node0.Write(id, bytes).size) filled += size;
  net.node0.SetWriting(id, true);
  net.Settle();
  CHECK(net.node0.Of(id).writable == 0);

  std::string drained(filled, '\0');
  REQUIRE(read(pipe.ends[0], &drained[0], filled) == static_cast<ssize_t>(filled));
  REQUIRE(net.WaitUntil([&] { return net.node0.Of(id).writable > 0; }));
  net.node0.SetWriting(id, false);
  pipe.CloseEnd(0);

  CHECK(net.node0.Write(id, "x").error == "Broken pipe");
}

TEST_CASE("a file, which epoll refuses, is always ready") {
  ContractNet net(MakeWorld);
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  const std::string bytes(10'000, 'x');
  REQUIRE(write(fileno(file), bytes.data(), bytes.size()) == 10'000);
  REQUIRE(lseek(fileno(file), 0, SEEK_SET) == 0);

  const EndpointId id = Adopt(net.node0, fileno(file));
  net.Settle();
  CHECK(net.node0.Of(id).readable == 0);
  net.node0.SetReading(id, true);
  REQUIRE(net.WaitUntil([&] { return !net.node0.Of(id).events.empty(); }));

  CHECK(net.node0.Of(id).bytes == bytes);
  CHECK(net.node0.Of(id).events == Events{"end"});
  const int readable = net.node0.Of(id).readable;
  net.Settle();
  CHECK(net.node0.Of(id).readable == readable);
  CHECK(net.node0.Write(id, "more").size == 4);
  net.node0.Close(id);
  std::fclose(file);
}

TEST_CASE("a socket of others is adopted with its breaks, and outlives the transport") {
  int ends[2];
  REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
  {
    ContractNet net(MakeWorld);
    const EndpointId id = Adopt(net.node0, ends[0]);
    CHECK(net.node0.Write(id, "hello").size == 5);
    std::array<char, 8> buffer;
    CHECK(read(ends[1], buffer.data(), buffer.size()) == 5);

    close(ends[1]);
    REQUIRE(net.WaitUntil([&] { return !net.node0.Of(id).events.empty(); }));
    net.Settle();
    CHECK(net.node0.Of(id).events == Events{"broken: "});
    CHECK(net.node0.Write(id, "x").error == "Broken pipe");
  }
  CHECK(fcntl(ends[0], F_GETFD) >= 0);
  close(ends[0]);
}

TEST_CASE("what is no descriptor, or adopted already, is refused") {
  ContractNet net(MakeWorld);
  Pipe pipe;
  auto error = [&](int descriptor) {
    return net.node0.Do([&](Transport& t) { return t.Adopt(descriptor); }).status();
  };
  CHECK(error(-1).message() == "Bad file descriptor");
  CHECK(error(-1).code() == absl::StatusCode::kFailedPrecondition);

  const EndpointId id = Adopt(net.node0, pipe.ends[0]);
  CHECK(error(pipe.ends[0]).message() == "File exists");
  CHECK(error(pipe.ends[0]).code() == absl::StatusCode::kAlreadyExists);
  CHECK(pipe.IsOpen(0));

  net.node0.Close(id);
  CHECK(error(pipe.ends[0]).ok());
}

}  // namespace
}  // namespace skysim
