#include "engine/core/harbor_service.h"

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "catch2/catch_test_macros.hpp"
#include "engine/core/harbor_frame.h"
#include "tests/engine/core/fake_platform.h"

namespace skysim {
namespace {

using Texts = std::vector<std::string>;

// A node with a logger, the harbor service, .cslave ("c"), and "a", "b" with index 4 and 5. The
// test plays the other slaves.
class HarborFixture {
 public:
  explicit HarborFixture(uint32_t own = 0) : own_(own << kHarborShift) {
    node_ = std::make_unique<Node>(fake.platform(), Options(own));
    REQUIRE(node_->Boot().ok());  // the logger and, as bootstrap, .cslave
    c = own_ | 2;
    harbor = node_->Launch("harbor", absl::StrCat(own, " ", c), nullptr);
    a = node_->Launch("a", "", nullptr);
    b = node_->Launch("b", "", nullptr);
    fake.executor.RunAll();
    scripts["log"].seen.clear();
  }

  absl::Status FailedLaunch(const std::string& args) {
    auto context = std::make_unique<HarborService>();
    TestService::Script script;
    ServiceContext owner(*node_, std::make_unique<TestService>(script), "test");
    return context->Init(owner, args);
  }

  // From service "a".
  bool SendToName(const std::string& name, const std::string& bytes, int32_t session = 0) {
    return node_->SendGlobal(name, From(a, bytes, session));
  }
  bool SendTo(Handle to, const std::string& bytes, int32_t session = 0,
              MessageType type = MessageType::kLua) {
    Message message = From(a, bytes, session);
    message.type = type;
    return node_->Send(to, std::move(message));
  }
  Message From(Handle source, const std::string& bytes, int32_t session = 0) {
    Message message;
    message.source = source;
    message.session = session;
    message.type = MessageType::kLua;
    message.payload = Payload::Copy(fake.memory, bytes);
    return message;
  }

  void Command(Handle source, const std::string& text) {
    Message message = From(source, text);
    message.type = MessageType::kHarbor;
    node_->Send(harbor, std::move(message));
    Run();
  }

  // A connection of .cslave. `fd` is its socket.
  EndpointId Connect(SocketId* fd) {
    *fd = node_->sockets().Connect(c, "10.0.0.2", 2526);
    EndpointId endpoint = fake.transport.last();
    fake.transport.FinishConnect(endpoint);
    return endpoint;
  }
  // One that is handed over with "S" or "A".
  EndpointId HandOver(const std::string& letter, int id, const std::string& rest = "") {
    SocketId fd = 0;
    EndpointId endpoint = Connect(&fd);
    Command(c, absl::StrCat(letter, " ", fd, " ", id, rest));
    return endpoint;
  }
  // A slave that is connected.
  EndpointId Up(int id) {
    EndpointId endpoint = HandOver("A", id);
    Written(endpoint);
    return endpoint;
  }

  void Run() {
    fake.executor.RunAll();
    fake.transport.Poll();
    fake.executor.RunAll();
  }
  void Arrive(EndpointId endpoint, const std::string& bytes) {
    fake.transport.Arrive(endpoint, bytes);
    Run();
  }
  void End(EndpointId endpoint) {
    fake.transport[endpoint].has_ended = true;
    Run();
  }

  // What was written since the last time.
  std::string Written(EndpointId endpoint) {
    Run();
    return std::exchange(fake.transport[endpoint].outgoing, "");
  }

  // What a service got since the last time: type, source, session if there is one, bytes.
  Texts Got(const std::string& module) {
    Run();
    Texts texts;
    for (const Seen& seen : std::exchange(scripts[module].seen, {})) {
      std::string text = seen.bytes;
      if (seen.type == MessageType::kSocket) continue;
      if (seen.type == MessageType::kError) text = "error";
      if (seen.session != 0) absl::StrAppend(&text, " ", seen.session);
      if (HarborOf(seen.source) != own_ >> kHarborShift) {
        absl::StrAppend(&text, " of ", FormatHandle(seen.source));
      }
      texts.push_back(text);
    }
    return texts;
  }
  Texts Log() { return Got("log"); }

  // One frame of the node's a, or to it.
  std::string Out(Handle to, const std::string& bytes, int32_t session = 0,
                  MessageType type = MessageType::kLua) {
    return Frame(a, to, type, session, bytes);
  }
  std::string Frame(Handle from, Handle to, MessageType type, int32_t session,
                    const std::string& bytes) {
    return std::string(
        EncodeHarborFrame(fake.memory, from, to, type, session, bytes).bytes());
  }
  bool IsClosed(EndpointId endpoint) { return fake.transport[endpoint].is_closed; }

  std::map<std::string, TestService::Script> scripts;  // what the platform drops looks at them
  FakePlatform fake;
  Handle harbor = 0, a = 0, b = 0, c = 0;

  Node& node() { return *node_; }

 private:
  Node::Options Options(uint32_t own) {
    Node::Options options;
    options.config.entries = {
        {"harbor", absl::StrCat(own)}, {"logservice", "log"}, {"bootstrap", "c"}};
    for (const char* name : {"a", "b", "c", "log"}) {
      options.modules[name] = [this, name] { return std::make_unique<TestService>(scripts[name]); };
    }
    options.modules["harbor"] = [] { return std::make_unique<HarborService>(); };
    return options;
  }

  const Handle own_;
  std::unique_ptr<Node> node_;
};

constexpr Handle kFar = 0x02000007;

}  // namespace

// -- Names ----------------------------------------------------------------------------------------

TEST_CASE("what is sent to an unknown name waits, in order, until somebody has the name") {
  HarborFixture fixture;

  CHECK(fixture.SendToName("NAME", "one"));
  CHECK(fixture.SendToName("OTHER", "not for b"));
  CHECK(fixture.SendToName("NAME", "two"));
  CHECK(fixture.Got("b").empty());
  CHECK(fixture.Got("c") == Texts{"Q NAME", "Q OTHER", "Q NAME"});
  fixture.Command(fixture.b, "N NAME");
  fixture.SendToName("NAME", "three");

  CHECK(fixture.Got("b") == Texts{"one", "two", "three"});
  CHECK(fixture.Got("c").empty());
}

TEST_CASE("a name may move to another service") {
  HarborFixture fixture;
  fixture.Command(fixture.b, "N NAME");

  fixture.Command(fixture.c, "N NAME");
  fixture.SendToName("NAME", "one");

  CHECK(fixture.Got("b").empty());
  CHECK(fixture.Got("c") == Texts{"one"});
}

TEST_CASE("a name of no bytes or of more than 15 is not bound") {
  HarborFixture fixture;

  fixture.Command(fixture.b, "N 0123456789abcdef");
  fixture.Command(fixture.b, "N ");
  fixture.SendToName("0123456789abcdef", "one");

  CHECK(fixture.Got("b").empty());
  CHECK(fixture.Log() == Texts{"Invalid name 0123456789abcdef", "Invalid name "});
}

TEST_CASE("of a name that is sent to, 16 bytes count") {
  HarborFixture fixture;

  fixture.SendToName("0123456789abcdefghi", "one");

  CHECK(fixture.Got("c") == Texts{"Q 0123456789abcdef"});
}

TEST_CASE("a call of a name whose service is gone fails") {
  HarborFixture fixture;
  fixture.Command(fixture.b, "N NAME");
  fixture.node().Retire(fixture.b, 0, 0);

  CHECK(fixture.SendToName("NAME", "one", 17));
  CHECK(fixture.SendToName("NAME", "a send"));

  CHECK(fixture.Got("a") == Texts{"error 17"});
}

TEST_CASE("a node without a harbor service has neither global names nor other nodes") {
  HarborFixture fixture;
  fixture.node().Retire(fixture.harbor, 0, 0);

  CHECK(!fixture.SendToName("NAME", "one"));
  CHECK(!fixture.SendTo(kFar, "one"));
}

TEST_CASE("the harbor service tells what it cannot do") {
  HarborFixture fixture(1);

  CHECK(fixture.FailedLaunch("nonsense").message() ==
        "harbor needs \"<harbor id> <handle of .cslave>\", not \"nonsense\"");
  CHECK(fixture.FailedLaunch("2 2").message() == "harbor id 2, but this node has id 1");
  fixture.Command(fixture.c, "X 1 2");
  fixture.Command(fixture.c, "");
  fixture.Command(fixture.c, "S 1 256");
  fixture.Command(fixture.c, "A 1 0");
  fixture.Command(fixture.c, "S 1 1");
  fixture.Command(fixture.c, "A one 2");

  CHECK(fixture.Log() == Texts{"Unknown command X 1 2", "Unknown command ",
                               "Invalid connection 1 256", "Invalid connection 1 0",
                               "Invalid connection 1 1", "Invalid connection one 2"});
}

// -- A network of one -----------------------------------------------------------------------------

TEST_CASE("in a network of one every other node is down") {
  HarborFixture fixture;

  CHECK(fixture.SendTo(kFar, "call", 5));
  CHECK(fixture.SendTo(kFar, "send"));

  CHECK(fixture.Got("a") == Texts{"error 5 of :02000007"});
  CHECK(fixture.Log() ==
        Texts{"Drop message to harbor 2 from 4 to 2000007 (session = 5, msgsz = 4)"});
}

// -- Connections that we open ---------------------------------------------------------------------

TEST_CASE("a connector tells its id at once and sends nothing more before it has the peer's") {
  HarborFixture fixture(1);
  fixture.SendTo(kFar, "first", 3);

  EndpointId peer = fixture.HandOver("S", 2);
  fixture.SendTo(kFar, "second");
  CHECK(fixture.Written(peer) == "\x01");
  fixture.Arrive(peer, "\x02");

  CHECK(fixture.Written(peer) == fixture.Out(kFar, "first", 3) + fixture.Out(kFar, "second"));
  fixture.SendTo(kFar, "third");
  CHECK(fixture.Written(peer) == fixture.Out(kFar, "third"));
}

TEST_CASE("a name that becomes known in the handshake does not send early") {
  HarborFixture fixture(1);
  fixture.SendToName("FAR", "first", 3);
  EndpointId peer = fixture.HandOver("S", 2);

  fixture.Command(kFar, "N FAR");
  CHECK(fixture.Written(peer) == "\x01");
  fixture.Arrive(peer, "\x02");

  CHECK(fixture.Written(peer) == fixture.Out(kFar, "first", 3));
}

TEST_CASE("a queue that moves from a name to a slave knows its handle") {
  HarborFixture fixture(1);
  fixture.SendToName("FAR", "first", 3);
  fixture.SendToName("FAR", "second");

  fixture.Command(kFar, "N FAR");
  EndpointId peer = fixture.HandOver("A", 2);

  CHECK(fixture.Written(peer) ==
        "\x01" + fixture.Out(kFar, "first", 3) + fixture.Out(kFar, "second"));
}

TEST_CASE("bytes behind the peer's id are frames, on both sides") {
  for (const char* letter : {"S", "A"}) {
    HarborFixture fixture(1);
    const std::string frame = fixture.Frame(kFar, fixture.b, MessageType::kLua, 9, "early");
    const std::string bytes = (*letter == 'S' ? "\x02" : "") + frame;
    for (size_t cut = 0; cut <= bytes.size(); ++cut) {
      HarborFixture cut_fixture(1);

      EndpointId peer =
          cut_fixture.HandOver(letter, 2, absl::StrCat("\n", bytes.substr(0, cut)));
      cut_fixture.Arrive(peer, bytes.substr(cut));

      REQUIRE(cut_fixture.Got("b") == Texts{"early 9 of :02000007"});
      REQUIRE(cut_fixture.Written(peer) == "\x01");
    }
  }
}

TEST_CASE("a peer with another id than expected is refused for good") {
  HarborFixture fixture(1);
  fixture.SendTo(kFar, "waits", 3);
  EndpointId peer = fixture.HandOver("S", 2);

  fixture.Arrive(peer, "\x03");

  CHECK(fixture.IsClosed(peer));
  CHECK(fixture.Log() == Texts{"harbor 2 is down: the peer says that its harbor id is 3; 1 calls "
                               "fail, 1 messages are lost"});
  CHECK(fixture.Got("a") == Texts{"error 3 of :02000007"});
  CHECK(fixture.Got("c") == Texts{"D 2"});
  EndpointId again = fixture.HandOver("A", 2);
  CHECK(fixture.IsClosed(again));
  CHECK(fixture.Log() == Texts{"harbor 2 is down: a further connection is closed"});
}

TEST_CASE("a second connection to a slave is closed and the first stays") {
  HarborFixture fixture(1);
  EndpointId first = fixture.Up(2);

  EndpointId second = fixture.HandOver("A", 2);
  fixture.SendTo(kFar, "one");

  CHECK(fixture.IsClosed(second));
  CHECK(fixture.Written(second).empty());
  CHECK(fixture.Log() == Texts{"harbor 2 is connected: a further connection is closed"});
  CHECK(fixture.Written(first) == fixture.Out(kFar, "one"));
}

// -- Frames ---------------------------------------------------------------------------------------

TEST_CASE("a frame reaches its service with type, source and session") {
  HarborFixture fixture(1);
  EndpointId peer = fixture.Up(2);

  fixture.Arrive(peer, fixture.Frame(kFar, fixture.b, MessageType::kSnax, 9, "hello"));
  fixture.Run();

  CHECK(fixture.scripts["b"].seen ==
        std::vector<Seen>{{MessageType::kSnax, kFar, 9, "hello"}});
}

TEST_CASE("whoever sends to nobody is told, also of a send") {
  HarborFixture fixture(1);
  EndpointId peer = fixture.Up(2);
  const Handle nobody = 0x01ffff00;

  fixture.Arrive(peer, fixture.Frame(kFar, nobody, MessageType::kLua, 29, "call") +
                           fixture.Frame(kFar, nobody, MessageType::kLua, 0, "send") +
                           fixture.Frame(kFar, nobody, MessageType::kError, 29, "") +
                           fixture.Frame(kFar, nobody, MessageType::kResponse, 29, "late"));

  CHECK(fixture.Written(peer) == fixture.Frame(nobody, kFar, MessageType::kError, 29, "") +
                                     fixture.Frame(nobody, kFar, MessageType::kError, 0, ""));
  CHECK(fixture.Log() == Texts{"Unknown destination :01ffff00 from :02000007",
                               "Unknown destination :01ffff00 from :02000007"});
}

TEST_CASE("an error that answers no call of ours to another node is dropped") {
  HarborFixture fixture(1);
  EndpointId peer = fixture.Up(2);
  fixture.SendTo(kFar, "call", 4);

  fixture.Arrive(peer, fixture.Frame(kFar, fixture.a, MessageType::kError, 4, "") +
                           fixture.Frame(kFar, fixture.a, MessageType::kError, 4, "") +
                           fixture.Frame(kFar, fixture.a, MessageType::kError, 5, "") +
                           fixture.Frame(kFar, fixture.a, MessageType::kError, 0, ""));

  CHECK(fixture.Got("a") == Texts{"error 4 of :02000007", "error of :02000007"});
}

TEST_CASE("types that mean something inside a node only do not travel") {
  for (MessageType type : {MessageType::kSystem, MessageType::kHarbor, MessageType::kSocket}) {
    HarborFixture fixture(1);
    EndpointId peer = fixture.Up(2);

    if (type != MessageType::kSocket) CHECK(!fixture.SendTo(kFar, "one", 0, type));
    fixture.Arrive(peer, fixture.Frame(kFar, fixture.harbor, type, 0, "N NAME"));
    fixture.Arrive(peer, fixture.Frame(kFar, fixture.b, MessageType::kLua, 0, "goes on"));

    CHECK(fixture.Got("b") == Texts{"goes on of :02000007"});
    CHECK(fixture.Log() == Texts{absl::StrCat("error: harbor 2 sent a message of type ",
                                              static_cast<int>(type), ", which no node may send")});
  }
}

TEST_CASE("a frame with an impossible length ends the connection") {
  for (const std::string& head :
       {std::string("\0\0\0\x0b", 4), std::string("\x01\0\0\0", 4)}) {
    HarborFixture fixture(1);
    EndpointId peer = fixture.Up(2);
    fixture.SendTo(kFar, "call", 4);

    fixture.Arrive(peer, fixture.Frame(kFar, fixture.b, MessageType::kLua, 0, "before") + head);

    CHECK(fixture.Got("b") == Texts{"before of :02000007"});
    CHECK(fixture.Got("a") == Texts{"error 4 of :02000007"});
    CHECK(fixture.IsClosed(peer));
  }
}

TEST_CASE("a message that is too large for a frame is refused, and whoever waits is told") {
  HarborFixture fixture(1);
  EndpointId peer = fixture.Up(2);
  const std::string large(kHarborPayloadBytesMax + 1, 'x');

  fixture.SendTo(kFar, large, 4);
  fixture.SendTo(kFar, large, 5, MessageType::kResponse);
  fixture.SendTo(kFar, large);

  CHECK(fixture.Got("a") == Texts{"error 4 of :02000007"});
  CHECK(fixture.Written(peer) == fixture.Out(kFar, "", 5, MessageType::kError));
  CHECK(fixture.Log().front() ==
        "error: 16777204 bytes from :01000004 to :02000007 cannot be sent: a message between nodes "
        "has at most 16777203");
  fixture.SendTo(kFar, "small");
  CHECK(fixture.Written(peer) == fixture.Out(kFar, "small"));
}

TEST_CASE("a large message to a global name of this node arrives") {
  HarborFixture fixture(1);
  const std::string large(kHarborPayloadBytesMax + 1, 'x');
  fixture.Command(fixture.b, "N NAME");

  fixture.SendToName("NAME", large);

  CHECK(fixture.Got("b") == Texts{large});
}

TEST_CASE("bytes of a service that only look like a message of the node are refused") {
  HarborFixture fixture(1);
  for (MessageType type : {MessageType::kSystem, MessageType::kSocket, MessageType::kText}) {
    Message message = fixture.From(fixture.a, "x");
    message.type = type;
    fixture.node().Send(fixture.harbor, std::move(message));
  }

  CHECK(fixture.Log() ==
        Texts{"error: a message of type system from :01000004 that no node made"});
}

TEST_CASE("requests that the harbor service can no longer take fail, replies do not") {
  HarborFixture fixture(1);

  fixture.SendTo(kFar, "call", 4);
  fixture.SendTo(kFar, "reply", 5, MessageType::kResponse);
  fixture.node().Retire(fixture.harbor, 0, 0);

  CHECK(fixture.Got("a") == Texts{"error 4"});
}

// -- A slave that is lost -------------------------------------------------------------------------

TEST_CASE("a lost connection fails the calls in flight, in the order of callers and sessions") {
  HarborFixture fixture(1);
  EndpointId peer = fixture.Up(2);
  EndpointId other = fixture.Up(3);
  fixture.node().Send(kFar, fixture.From(fixture.b, "of b", 2));
  fixture.SendTo(kFar, "later", 9);
  fixture.SendTo(kFar, "answered", 7);
  fixture.SendTo(kFar, "sooner", 8);
  fixture.SendTo(kFar, "a send");
  fixture.SendTo(0x03000007, "elsewhere", 10);
  fixture.Arrive(peer, fixture.Frame(kFar, fixture.a, MessageType::kResponse, 7, "done"));
  fixture.Written(other);

  fixture.End(peer);

  CHECK(fixture.Got("a") ==
        Texts{"done 7 of :02000007", "error 8 of :02000007", "error 9 of :02000007"});
  CHECK(fixture.Got("b") == Texts{"error 2 of :02000007"});
  CHECK(fixture.Got("c") == Texts{"D 2"});
  CHECK(fixture.IsClosed(peer));
  CHECK(fixture.Log() == Texts{"harbor 2 is down: the connection was closed; 3 calls fail, 0 "
                               "messages are lost"});
  fixture.SendTo(0x03000007, "still there");
  CHECK(fixture.Written(other) == fixture.Out(0x03000007, "still there"));
}

TEST_CASE("a multicast message travels as its bytes and is no call, whatever its session") {
  HarborFixture fixture(1);
  EndpointId peer = fixture.Up(2);
  const Handle nobody = 0x01ffff00;
  Message message = fixture.From(fixture.a, "many read it", 256);
  message.type = MessageType::kMulticast;
  Payload shared = message.payload.Share();
  fixture.node().Send(kFar, std::move(message));

  CHECK(fixture.Written(peer) ==
        fixture.Out(kFar, "many read it", 256, MessageType::kMulticast));
  fixture.Arrive(peer, fixture.Frame(kFar, nobody, MessageType::kMulticast, 257, "to nobody"));
  CHECK(fixture.Written(peer) == "");
  fixture.End(peer);
  fixture.SendTo(kFar, "dropped", 256, MessageType::kMulticast);

  CHECK(fixture.Got("a") == Texts{});
  CHECK(shared.bytes() == "many read it");
}

TEST_CASE("a connection that breaks is a lost one") {
  HarborFixture fixture(1);
  EndpointId peer = fixture.Up(2);
  fixture.SendTo(kFar, "call", 4);
  fixture.Run();

  fixture.fake.transport[peer].read_error = "Connection reset by peer";
  fixture.Run();

  CHECK(fixture.Got("a") == Texts{"error 4 of :02000007"});
  CHECK(fixture.Log() == Texts{"harbor 2 is down: Connection reset by peer; 1 calls fail, 0 "
                               "messages are lost"});
}

TEST_CASE("a connection that ends in the handshake fails what waited for it") {
  HarborFixture fixture(1);
  EndpointId peer = fixture.HandOver("S", 2);
  fixture.SendTo(kFar, "call", 4);
  fixture.node().Send(kFar, fixture.From(0x05000001, "of another node", 4));
  EndpointId five = fixture.Up(5);

  fixture.End(peer);

  CHECK(fixture.Got("a") == Texts{"error 4 of :02000007"});
  CHECK(fixture.Written(five) == fixture.Frame(kFar, 0x05000001, MessageType::kError, 4, ""));
  CHECK(fixture.Log() == Texts{"harbor 2 is down: the connection was closed; 1 calls fail, 2 "
                               "messages are lost"});
}

TEST_CASE("calls to a slave that is down fail at once, and drops are logged once per burst") {
  HarborFixture fixture(1);
  fixture.End(fixture.Up(2));
  fixture.Log();

  fixture.SendTo(kFar, "call", 4);
  for (int i = 0; i < 100; ++i) fixture.SendTo(kFar, "send");
  fixture.SendTo(kFar, "reply", 5, MessageType::kResponse);
  CHECK(fixture.Got("a") == Texts{"error 4 of :02000007"});
  CHECK(fixture.Log() ==
        Texts{"Drop message to harbor 2 from 1000004 to 2000007 (session = 4, msgsz = 4)"});
  fixture.fake.clock.Advance(1'000'000'000);  // a burst ends with a second
  fixture.SendTo(kFar, "send");

  CHECK(fixture.Log() == Texts{"Drop message to harbor 2 from 1000004 to 2000007 (session = 0, "
                               "msgsz = 4) (and 101 before, not logged)"});
}

TEST_CASE("a slave that will never connect fails what waits for it; one that has stays") {
  HarborFixture fixture(1);
  EndpointId peer = fixture.Up(2);
  fixture.SendTo(0x03000007, "call", 4);
  fixture.Run();

  fixture.Command(fixture.c, "D 3");
  fixture.Command(fixture.c, "D 2");
  fixture.SendTo(kFar, "one");

  CHECK(fixture.Got("a") == Texts{"error 4 of :03000007"});
  CHECK(fixture.Log() == Texts{"harbor 3 is down: it never connected; 1 calls fail, 1 messages "
                               "are lost"});
  CHECK(fixture.Written(peer) == fixture.Out(kFar, "one"));
}

TEST_CASE("a socket that died on its way to the harbor service is a lost connection") {
  HarborFixture fixture(1);
  SocketId fd = 0;
  EndpointId peer = fixture.Connect(&fd);
  fixture.End(peer);

  fixture.Command(fixture.c, absl::StrCat("S ", fd, " 2"));

  CHECK(fixture.Log() == Texts{"harbor 2 is down: socket closed"});
  CHECK(fixture.Got("c") == Texts{"D 2"});
  CHECK(fixture.IsClosed(peer));
}

}  // namespace skysim
