// The verbs of the simulated network: what they do in a story, and the one sentence that says what
// is wrong with one. The story's first line is line 22.

#include <string>
#include <vector>

#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

struct Mistake {
  std::string text, sentence;
};

class NetworkVerbs : public ScenarioFixture {
 protected:
  void ExpectMistakes(const std::vector<Mistake>& mistakes) {
    for (const Mistake& mistake : mistakes) {
      CHECK(ErrorOf(Story(mistake.text)) == "x.lua:22: " + mistake.sentence);
    }
  }
};

TEST_CASE_METHOD(NetworkVerbs, "a field of a link that makes no sense is named with its line") {
  const std::string link = "world:link('a', 'b')";
  ExpectMistakes({
      {link + ":jitter('-1ms')", "a duration cannot be negative: \"-1ms\""},
      {link + ":jitter(5)", "a duration needs a unit, like \"5ms\" or \"5s\", not the number 5"},
      {link + ":loss('much')", "a probability looks like \"1%\" or \"1/200\", not \"much\""},
      {link + ":loss {}", "loss is a share like \"1%\", or sim.bursts { ... }"},
      {link + ":loss(sim.bursts { leave = '1/10' })",
       "sim.bursts needs a table like { enter = \"1/1000\", leave = \"1/10\", loss = 1, "
       "calm_loss = 0 }; enter is required"},
      {link + ":loss(sim.bursts { enter = '1/10', often = 1 })",
       "sim.bursts has no \"often\"; it has calm_loss, enter, leave, loss"},
      {link + ":loss(sim.bursts { enter = 2 })",
       "a probability looks like \"1%\" or \"1/200\", not 2"},
      {link + ":queue('some')", "queue is a number of bytes, like 4096 or \"64KB\", not \"some\""},
      {link + ":queue(-1)", "queue is a number of bytes from 0 to 1073741824, not -1"},
      {link + ":mss(0)", "mss is a number of bytes from 1 to 65536, not 0"},
      {link + ":mtu(67)", "mtu is a number of bytes from 68 to 65536, not 67"},
      {link + ":window(0)", "window is a number of bytes from 1 to 1073741824, not 0"},
      {link + ":send_buffer('2GiB')",
       "send_buffer is a number of bytes from 1 to 1073741824, not \"2GiB\""},
  });
}

TEST_CASE_METHOD(NetworkVerbs, "a verb of the network that makes no sense is named with its line") {
  const std::string link = "world:link('a', 'b')";
  ExpectMistakes({
      {link + ":release(true)", "link:release takes a table like { one_chunk = true }, not true"},
      {link + ":release { chunk = 1 }",
       "link:release has no \"chunk\"; it has at, bytes, one_chunk"},
      {link + ":release { bytes = 0 }",
       "link:release: bytes is a number of bytes from 1 to 1073741824, not 0"},
      {link + ":release { at = {} }",
       "link:release: at is a list of numbers of bytes, like { 1, 3 }, not an empty one"},
      {link + ":release { at = { 3, 3 } }",
       "link:release: at: number 2 is 3, and must be from 4 to 1073741824"},
      {link + ":cut(4)", "link:cut is a list of numbers of bytes, like { 1, 3 }, not 4"},
      {link + ":cut { 1, -1 }", "link:cut: number 2 is -1, and must be from 1 to 1073741824"},
      {"world:forget_idle('a', 'a', '1s')", "there is no link from a to itself"},
      {"world:forget_idle('a', 'c', '1s')", "no node is called c; there are: a, b"},
      {"world:forget_idle('a', 'b', '-1s')", "a duration cannot be negative: \"-1s\""},
      {"world:forget_idle('a', 'b', '1s', 'bounce')",
       "world:forget_idle: the box answers with \"drop\" or \"reset\", not \"bounce\""},
      {"world:limit_fds('a', -1)",
       "world:limit_fds needs a number of descriptors, or 0 for no limit, not -1"},
      {"world:limit_fds('c', 1)", "no node is called c; there are: a, b"},
      {"world:crash 'a' world:limit_fds('a', 1)", "node a is not running"},
      {"world:slow_accept('a', 5)",
       "a duration needs a unit, like \"5ms\" or \"5s\", not the number 5"},
      {"world:crash 'a' world:slow_accept('a', '1s')", "node a is not running"},
      {"world:crash 'a' world:stall_sockets('a')", "node a is not running"},
      {"world:resume_sockets 'c'", "no node is called c; there are: a, b"},
      {"world:in_flight('c')", "no node is called c; there are: a, b"},
      {"world:deliver(99)", "message 99 is not in flight"},
      {"world:drop(99)", "message 99 is not in flight"},
      {"world:hold(99)", "message 99 is not in flight"},
      {"world:release(99)", "message 99 is not in flight"},
      {"world:drop 'it'",
       "world:drop needs a message of world:in_flight() or its id, not \"it\""},
  });
}

TEST_CASE_METHOD(NetworkVerbs, "over real sockets the verbs of the network end the run") {
  RunOptions options;
  options.transport = RunTransport::kTcp;
  for (const char* verb : {"limit_fds('a', 1)", "slow_accept('a', '1s')", "stall_sockets('a')",
                           "resume_sockets('a')", "forget_idle('a', 'b', '1s')", "in_flight()",
                           "deliver(1)", "drop(1)", "hold(1)", "release(1)"}) {
    const std::string text = verb;
    CHECK(ErrorOf(Story("world:" + text), options) ==
          "x.lua:22: world:" + text.substr(0, text.find('(')) +
              " needs a simulated network; --transport tcp has a real one");
  }
}

TEST_CASE_METHOD(NetworkVerbs, "a declared number of descriptors must be one") {
  CHECK(ErrorOf("require 'sim'.scenario 'c' { nodes = { a = { start = 'main', fds = 0 } }, "
                "story = function() end }") ==
        "x.lua:1: node a: fds is a number of descriptors, 1 or more, not 0");
}

// One service listens and tells what it reads, another connects and writes.
constexpr char kSockets[] = R"(local sim = require "sim"
sim.scenario "test" {
  nodes = { a = { start = "writer", ip = "10.0.0.1", fds = 3 },
            b = { start = "reader", ip = "10.0.0.2" } },
  services = {
    reader = function()
      local skynet, socket = require "skynet", require "skynet.socket"
      skynet.start(function()
        local id = socket.listen("0.0.0.0", 80)
        socket.start(id, function(fd)
          socket.start(fd)
          sim.probe("accepted")
          while true do
            local bytes = socket.read(fd)
            if not bytes then break end
            sim.probe("read", bytes)
          end
          sim.probe("end")
        end)
      end)
    end,
    writer = function()
      local skynet, socket = require "skynet", require "skynet.socket"
      require "skynet.manager"
      local fds = {}
      skynet.start(function()
        skynet.dispatch("lua", function(_, _, verb, ...)
          if verb == "open" then
            local fd, reason = socket.open("10.0.0.2", 80)
            fds[#fds + 1] = fd
            return skynet.retpack(fd and #fds, reason)
          end
          local index, bytes = ...
          skynet.retpack(socket.write(fds[index], bytes))
        end)
        skynet.register ".writer"
      end)
    end,
  },
  story = function(world)
    local function read()
      local pieces = {}
      for _, probe in ipairs(world:probes "read") do pieces[#pieces + 1] = probe[1] end
      return pieces
    end
    local function open() return world:call("a", ".writer", "open") end
    local function write(...) return world:call("a", ".writer", "write", ...) end
    local function kinds()
      local list = {}
      for _, message in ipairs(world:in_flight("a", "b")) do list[#list + 1] = message.kind end
      return list
    end
    STORY
  end,
}
)";

TEST_CASE_METHOD(NetworkVerbs, "stories see what the verbs of the network do") {
  const std::vector<std::string> stories = {
      R"(open() world:link("a", "b"):cut { 1, 1, 2 } write(1, "headbody") world:sleep "1s"
         sim.guarantee("cut", sim.equal({ "h", "e", "ad", "body" }, read())))",
      R"(open() world:sleep "1s" world:link("a", "b"):hold() write(1, "abcd") world:sleep "1s"
         world:link("a", "b"):release { at = { 1, 3 } } world:sleep "1s"
         sim.guarantee("cut", sim.equal({ "a", "bc", "d" }, read())))",
      R"(open() world:sleep "1s" world:link("a", "b"):hold() write(1, "abc") world:sleep "1s"
         world:link("a", "b"):release { bytes = 1 } world:sleep "1s"
         sim.guarantee("cut", sim.equal({ "a", "b", "c" }, read())))",
      R"(open() open() world:sleep "1s" world:link("a", "b"):hold()
         write(1, "one") write(2, "two") world:sleep "1s"
         local list = world:in_flight("a", "b")
         sim.guarantee("listed", sim.equal({ "data", "data" }, kinds()))
         sim.guarantee("held", list[1].held and not list[1].arrives and list[1].bytes == 3)
         sim.guarantee("connection", list[1].connection == world:connections()[1].id)
         world:deliver(list[2]) world:sleep "1s" world:deliver(list[1].id) world:sleep "1s"
         sim.guarantee("turned", sim.equal({ "two", "one" }, read())))",
      R"(open() world:link("a", "b"):delay("100ms") world:sleep "10ms" write(1, "x")
         world:wait_until(function() return #world:in_flight("a", "b") == 1 end)
         local message = world:in_flight("a", "b")[1]
         sim.guarantee("arrives", message.arrives - message.sent == sim.duration "100ms")
         world:hold(message) world:sleep "5s"
         sim.guarantee("nothing", #read() == 0)
         world:release(message) world:sleep "1s"
         sim.guarantee("all", sim.equal({ "x" }, read())))",
      R"(open() world:sleep "1s" world:link("a", "b"):delay("1ms") write(1, "x")
         world:wait_until(function() return #world:in_flight("a", "b") == 1 end)
         local sent = world:now() world:drop(world:in_flight("a", "b")[1])
         world:wait_until(function() return #read() == 1 end)
         local took = world:now() - sent
         sim.guarantee("late", took > sim.duration "200ms" and took < sim.duration "210ms"))",
      R"(sim.guarantee("three", open() == 1 and open() == 2 and open() == 3)
         local fd, reason = open()
         sim.guarantee("no more", not fd and reason == "Too many open files", "%s", reason)
         world:limit_fds("a", 4) sim.guarantee("one more", open() == 4))",
      R"(world:slow_accept("b", "3s") open()
         world:sleep "2s" sim.guarantee("not yet", #world:probes "accepted" == 0)
         world:sleep "2s" sim.guarantee("accepted", #world:probes "accepted" == 1))",
      R"(open() world:sleep "1s" world:stall_sockets "b" write(1, "x") world:sleep "60s"
         sim.guarantee("nothing", #read() == 0)
         world:resume_sockets "b" world:sleep "1s"
         sim.guarantee("all", sim.equal({ "x" }, read())))",
      R"(world:forget_idle("a", "b", "900s", "reset") open() world:sleep "899s" write(1, "x")
         world:sleep "901s" write(1, "y") world:sleep "1s"
         sim.guarantee("reset", sim.equal({ "x" }, read()))
         sim.guarantee("gone", write(1, "z") == false))",
      R"(world:link("a", "b"):loss(sim.bursts { enter = "1/10" }):jitter("5ms"):mtu(576)
         world:link("a", "b"):bandwidth("100KB/s"):queue("64KiB"):window("32KB"):send_buffer(5000)
         open() write(1, ("x"):rep(100000))
         sim.liveness("whole", function() return #table.concat(read()) == 100000 end, "3000s"))",
  };
  for (const std::string& story : stories) {
    std::string text = kSockets;
    text.replace(text.find("STORY"), 5, story);
    const absl::StatusOr<RunResult> result = RunText(text);
    INFO(story);
    REQUIRE(result.status().message() == "");
    INFO(result->reason);
    CHECK(result->verdict == Verdict::kPassed);
  }
}

}  // namespace
}  // namespace skysim
