// What a user may get wrong, and the one sentence that says so. The story's first line is line 22.
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "tests/simnet/scenario/scenario_fixture.h"

namespace skysim {
namespace {

struct Mistake {
  std::string text, sentence;
};

TEST_CASE_METHOD(ScenarioFixture, "a file that is not there is named") {
  RunOptions options;
  options.scenario_path = "nowhere/y.lua";
  CHECK(Run(options).status().message() == "nowhere/y.lua: No such file or directory");
}

TEST_CASE_METHOD(ScenarioFixture, "a mistake in the file is named with its line") {
  const std::vector<Mistake> mistakes = {
      {"local x = = 1", "x.lua:1: unexpected symbol near '='"},
      {"\nerror 'mine'", "x.lua:2: mine"},
      {"\n\nerror {}", "x.lua:3: an error was raised that is no text but a table"},
      {"\nlocal t\nt.x = 1", "x.lua:3: attempt to index a nil value (local 't')"},
      {"return 1",
       "x.lua: no scenario is declared here; sim.scenario \"...\" { ... } declares one"},
  };
  for (const Mistake& mistake : mistakes) CHECK(ErrorOf(mistake.text) == mistake.sentence);
}

TEST_CASE_METHOD(ScenarioFixture, "a mistake in the declaration is named with its line") {
  const std::string head = "local sim = require \"sim\"\nsim.scenario \"c\" ";
  const std::string story = "story = function() end }";
  const std::vector<Mistake> mistakes = {
      {"{ " + story, "x.lua:2: the scenario has no nodes"},
      {"{ nodes = {}, " + story, "x.lua:2: a scenario needs at least one node"},
      {"{ nodes = { a = { start = 'main' } } }", "x.lua:2: the scenario has no story"},
      {"{ nodes = { a = {} }, " + story,
       "x.lua:2: node a: start is missing, the service that its bootstrap starts"},
      {"{ nodes = { a = { start = 'main' } }, netwrok = {}, " + story,
       "x.lua:2: the scenario has no field netwrok; there are: any_order, cluster, kind, legacy, "
       "nemesis, network, nodes, order, project, reachable, services, source, story, swarm"},
      {"{ nodes = { a = { start = 'main', colour = 1 } }, " + story,
       "x.lua:2: node a has no field colour; there are: address, clock, cluster, config, cpu, env, "
       "fds, files, harbor, ip, master, path, standalone, start, thread"},
      {"{ nodes = { a = { start = 'main' } }, network = { delay = 5 }, " + story,
       "x.lua:2: a duration needs a unit, like \"5ms\" or \"5s\", not the number 5"},
      {"{ nodes = { a = { start = 'main' } }, network = { loss = 'much' }, " + story,
       "x.lua:2: a probability looks like \"1%\" or \"1/200\", not \"much\""},
      {"{ nodes = { a = { start = 'main' } }, network = { delay = sim.uniform('5ms', '1ms') }, " +
           story,
       "x.lua:2: sim.uniform: \"5ms\" is more than \"1ms\""},
      {"{ nodes = { a = { start = 'main', thread = 0 } }, " + story,
       "x.lua:2: node a: thread is a number of workers from 1 to 1024, not 0"},
      {"{ nodes = { a = { start = 'main', cluster = 'here' } }, " + story,
       "x.lua:2: node a: cluster is an address like \"10.0.0.1:7001\", not \"here\""},
      {"{ nodes = { a = { start = 'main', harbor = 256 } }, " + story,
       "x.lua:2: node a: a harbor id is from 1 to 255, not 256"},
      {"{ nodes = { a = { start = 'main', harbor = true } }, " + story,
       "x.lua:2: node a: harbor needs a master: one node with standalone = true"},
      {"{ nodes = { a = { start = 'main', harbor = true, master = 'b' } }, " + story,
       "x.lua:2: node a: master (if it is no node with standalone) is an address like "
       "\"10.0.0.1:7001\", not \"b\""},
      {"{ nodes = { a = { start = 'main', address = '10.0.0.1:7001' } }, " + story,
       "x.lua:2: node a: master and address are for nodes with harbor = true, or their id"},
      {"{ nodes = { a = { start = 'main', standalone = 'here' } }, " + story,
       "x.lua:2: node a: standalone is an address like \"10.0.0.1:7001\", not \"here\""},
      {"{ nodes = { a = { start = 'main', standalone = true, harbor = 7 }, "
       "b = { start = 'main', harbor = 7 } }, " + story,
       "x.lua:2: node b: harbor id 7 is that of node a"},
      {"{ nodes = { a = { start = 'main', standalone = true }, "
       "b = { start = 'main', standalone = true }, c = { start = 'main', harbor = true } }, " +
           story,
       "x.lua:2: node c: harbor needs a master: there are several; name one with master"},
      {"{ nodes = { a = { start = 'main' } }, " + story,
       "x.lua:2: node a: there is no service called main to start; it is neither among the "
       "scenario's services nor found as ./service/?.lua;./?.lua"},
      {"{ nodes = { a = { start = 'launcher', ip = 'x' } }, " + story,
       "x.lua:2: host \"a\": \"x\" is no IPv4 or IPv6 address"},
      {"{ project = 'gone', nodes = { a = { start = 'launcher' } }, " + story,
       "x.lua:2: project = \"gone\": there is no such folder"},
      {"{ nodes = { a = { start = 'launcher', config = 5 } }, " + story,
       "x.lua:2: node a: config is a string or table, not a number"},
      {"{ nodes = { a = { config = {} } }, " + story,
       "x.lua:2: node a: start is missing, the service that its bootstrap starts"},
      {"{ nodes = { a = { config = { 5 } } }, " + story,
       "x.lua:2: node a: config is the path of a skynet config file, or a table of entries behind "
       "such a path or none"},
      {"{ nodes = { a = { start = 'launcher', config = { x = {} } } }, " + story,
       "x.lua:2: node a: config entry x is neither a string, a number nor a boolean"},
      {"{ nodes = { a = { start = 'launcher', env = { A = 1 } } }, " + story,
       "x.lua:2: node a: env is what $NAME stands for in a config file, and config names no file"},
      {"{ nodes = { a = { config = 'c', env = { A = {} } } }, " + story,
       "x.lua:2: node a: env entry A is neither a string, a number nor a boolean"},
      {"{ nodes = { a = { config = 'etc/gone' } }, " + story,
       "x.lua:2: node a: cannot read etc/gone: No such file or directory"},
      {"{ nodes = { a = { config = 'c', files = { c = '\\nx = y.z' } } }, " + story,
       "x.lua:2: node a: c:2: attempt to index a nil value (global 'y')"},
      {"{ nodes = { a = { config = 'c', files = { c = 'thread = 0 start = \"launcher\"' } } }, " +
           story,
       "x.lua:2: node a: config: thread is \"0\", but must be a number in [1,1024]"},
      {"{ nodes = { a = { config = 'c', files = { c = 'lualoader = \"./gone.lua\"' } } }, " + story,
       "x.lua:2: node a: cannot read the lualoader ./gone.lua: No such file or directory"},
      {"{ nodes = { a = { config = 'c', files = { c = '' } } }, " + story,
       "x.lua:2: node a: there is no service called main to start; it is neither among the "
       "scenario's services nor found as ./service/?.lua;./?.lua"},
      {"{ kind = 'hope', nodes = { a = { start = 'main' } }, " + story,
       "x.lua:2: kind is guarantee, allowed or liveness, not \"hope\""},
  };
  for (const Mistake& mistake : mistakes) CHECK(ErrorOf(head + mistake.text) == mistake.sentence);
}

TEST_CASE_METHOD(ScenarioFixture, "a mistake in the story is named with its line") {
  const std::vector<Mistake> mistakes = {
      {"world:crash 'c'", "no node is called c; there are: a, b"},
      {"world:link('a', 'c')", "no node is called c; there are: a, b"},
      {"world:call('c', '.echo')", "no node is called c; there are: a, b"},
      {"world:partition { {'a'}, {'z'} }", "no node is called z; there are: a, b"},
      {"world:link('a', 'a')", "there is no link from a to itself"},
      {"world:sleep '-1s'", "a duration cannot be negative: \"-1s\""},
      {"world:sleep(2)", "a duration needs a unit, like \"2ms\" or \"2s\", not the number 2"},
      {"world:sleep '2 weeks'",
       "a duration looks like \"50ms\", \"2.5s\" or \"10us\", not \"2 weeks\""},
      {"world:crash 'a' world:crash 'a'", "node a is not running"},
      {"world:crash 'a' world:call('a', '.echo')", "node a is not running"},
      {"world:crash('a', true)",
       "world:crash takes a table like { power_off = true }, not a boolean"},
      {"world:crash('a', { poweroff = true })",
       "world:crash has no poweroff; it has lose_files, power_off"},
      {"world:crash('a', { power_off = 1 })",
       "world:crash: power_off is true or false, not 1"},
      {"world:start 'a'", "node a is running already"},
      {"world:restart('a', 'main')",
       "world:start takes changes like { start = \"main\" }, not a string"},
      {"world:shuffle()", "world:shuffle needs a list, not a nil"},
      {"world:refuse('a', 'c')", "no node is called c; there are: a, b"},
      {"world:black_hole('b', 'b')", "there is no link from b to itself"},
      {"world:allow('c', 'a')", "no node is called c; there are: a, b"},
      {"world:reset('a', 'c')", "no node is called c; there are: a, b"},
      {"world:delay_connects('a', 'b', '-1s')", "a duration cannot be negative: \"-1s\""},
      {"world:delay_connects('a', 'b', '1s', 0)",
       "world:delay_connects: the count is 1 or more, not 0"},
      {"world:accepted('a', 'a')", "there is no link from a to itself"},
      {"world:restart('a', { start = 'gone' })",
       "node a: there is no service called gone to start; it is neither among the scenario's "
       "services nor found as ./service/?.lua;./?.lua"},
      {"world:restart('a', { config = 'gone' })",
       "node a: cannot read gone: No such file or directory"},
      {"world:choose(0)", "world:choose needs a number of possibilities, 1 or more, not 0"},
      {"world:spawn(1)", "world:spawn needs a function, not a number"},
      {"world:wait_until(function() world:sleep '1s' end)",
       "world:sleep waits, which only the story and its tasks can do"},
      {"error(select(2, coroutine.resume(coroutine.create(function() world:sleep '1s' end))), 0)",
       "world:sleep cannot wait inside a coroutine; world:spawn makes a task"},
      {"local t; t.x = 1", "attempt to index a nil value (local 't')"},
      {"sim.guarantee('p', true) sim.allowed('p', true)",
       "property \"p\" is used as sometimes (allowed) and was used as always (guarantee) before"},
      {"error {}", "an error was raised that is no text but a table"},
      {"world:wait_until(function() error {} end)",
       "an error was raised that is no text but a table"},
      {"world:wait_until(function() error {} end, '1s')",
       "an error was raised that is no text but a table"},
      {"world:spawn(function() error {} end):join()",
       "an error was raised that is no text but a table"},
      {"world:call('a', '.echo', print)", "Unsupport type function to serialize"},
      {"world:call('a', '.echo', { 1, { coroutine.running() } })",
       "Unsupport type thread to serialize"},
      {"world:send('a', '.echo', function() end)", "Unsupport type function to serialize"},
      {"require 'nowhere'",
       "module 'nowhere' not found:\n\tno field package.preload['nowhere']\n\tno file "
       "'./nowhere.lua'\n\tno file './lualib/nowhere.lua'\n\tno file "
       "'/skysim/lualib/nowhere.lua'"},
      {"sim.guarantee(nil, true)", "a property needs a name, not nil"},
      {"world:spawn(function() error 'in a task' end) world:sleep '1s'", "in a task"},
  };
  for (const Mistake& mistake : mistakes) {
    CHECK(ErrorOf(Story(mistake.text)) == "x.lua:22: " + mistake.sentence);
  }
}

TEST_CASE_METHOD(ScenarioFixture, "wrong options are named") {
  RunOptions options;
  options.legacy = {"bogus"};
  CHECK(absl::StartsWith(ErrorOf(Story(""), options),
                         "--legacy bogus: there is no such switch; there are: wakeup-unordered, "));

  options.legacy = {};
  options.settings = {{"speed", "fast"}};
  CHECK(ErrorOf(Story("sim.setting('size', 1)"), options) ==
        "x.lua: no setting is called speed; there are: size");
  CHECK(ErrorOf(Story("sim.setting('speed', 1)"), options) ==
        "x.lua:22: --set speed=fast: a number is wanted");
  CHECK(ErrorOf(Story("sim.setting('speed', 'low', { 'low', 'high' })"), options) ==
        "x.lua:22: --set speed=fast: it is one of low, high");
}

}  // namespace
}  // namespace skysim
