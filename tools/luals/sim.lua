---@meta sim

-- The scenario language: docs/reference.md. Durations are texts with a unit ("50ms", "2.5s", "10us", "3min", "1h"), and
-- so are shares ("1%", "1/200") and rates ("64KB/s", "1.5MB/s", "2KiB/s"); a bare number is refused, but for 0. What
-- makes no sense ends the run with status 2 and the line of the scenario.

---@alias sim.duration string|0 "50ms", "2.5s", "10us", "3min", "1h"
---@alias sim.share string|0|1 "1%", "1/200"
---@alias sim.rate string|0 "64KB/s"; 0: unlimited
---@alias sim.drift string|0 "50ppm", "-10ppb": how fast a clock is
---@alias sim.bytes string|integer 4096, "64KB"

--- How long something is under way; made by sim.constant, sim.uniform and sim.exponential.
---@class sim.Delay
---@field shape "constant"|"uniform"|"exponential"
---@field min_ns integer
---@field max_ns integer
---@field mean_ns integer

--- Loss in bursts; made by sim.bursts.
---@class sim.Bursts

--- How every link behaves.
---@class sim.Network
---@field delay? sim.duration|sim.Delay how long a segment is under way
---@field jitter? sim.duration added to any delay: nothing to this much
---@field loss? sim.share|sim.Bursts of segments; over TCP they come later, by retransmission
---@field bandwidth? sim.rate
---@field queue? sim.bytes with a bandwidth: as much may wait for it, and what would be more is lost; 0: no limit
---@field split? sim.share of deliveries that are cut in two at a chosen byte
---@field mss? sim.bytes largest segment
---@field mtu? sim.bytes largest packet
---@field window? sim.bytes what the receiver of a stream takes without being read
---@field send_buffer? sim.bytes what the sender of a stream takes before it is acknowledged
---@field duplicate? sim.share of UDP datagrams that come twice
---@field reorder? sim.share of UDP datagrams that are overtaken

--- A node of a scenario: one runtime with services of its own.
---@class sim.Node
---@field start? string service that its bootstrap starts; needed without a config file
---@field cluster? string its address in the `cluster` config of all nodes: "10.0.0.1:7001"
---@field ip? string its address; else the host of `cluster`, else one is given
---@field thread? integer workers, 1 to 1024; default 8
---@field cpu? sim.duration virtual time that one dispatch takes; default "10us"
---@field path? string folder of the project where services and modules are too
---@field config? string|table a skynet config file; a table of entries; or both: { "etc/config", thread = 2 }
---@field env? table<string, string|number|boolean> what $NAME stands for in the config file
---@field fds? integer so many sockets at a time; default: no limit
---@field files? table<string, string> path -> text, put into its file tree before each start
---@field harbor? boolean|integer it is in a harbor network, with that id or with the lowest free one
---@field standalone? boolean|string the master is here too; "ip:port": where it listens
---@field master? string the node with its master, or an address; needed if there are several
---@field address? string where other slaves connect to; else port 2526 of its ip
---@field clock? sim.ClockSetting how wrong the clocks of its machine are; default: not at all

--- How the clocks of a machine are set.
---@class sim.ClockSetting
---@field offset? sim.duration of the wall clock before the true time; "-1h": behind
---@field drift? sim.drift of both clocks

--- Fields of a node that it may have from its next start on.
---@class sim.Changes
---@field start? string
---@field thread? integer
---@field cpu? sim.duration
---@field path? string
---@field config? string|table
---@field env? table<string, string|number|boolean>
---@field files? table<string, string>
---@field harbor? integer
---@field clock? sim.ClockSetting default: as they were left

--- Which order of two classes of messages is promised, and which is merely usual: { earlier, later } each, where a
--- class is send, call, reply, request or message, after small, large or nothing.
---@class sim.Contract
---@field promised? string[][] a violation fails the run
---@field usual? string[][] a violation is counted and shown

--- A family of faults; each has some of the fields.
---@class sim.Family
---@field rate? string "2/s", "1/10s", "6/min"; default: its share of the nemesis's
---@field nodes? string[] that it may choose; default: all
---@field lasts? sim.duration|sim.Delay how long a fault stands: a duration or sim.uniform
---@field delay? sim.duration|sim.Delay delay, slow_connect, slow_accept
---@field jitter? sim.duration
---@field loss? sim.share|sim.Bursts loss, bursts
---@field split? sim.share
---@field bandwidth? sim.rate throttle, queue
---@field queue? integer|string queue: bytes, as "3000B"
---@field duplicate? sim.share datagrams
---@field reorder? sim.share datagrams
---@field idle? sim.duration|sim.Delay forget_idle: connections on which nothing has passed for so long
---@field resets? sim.share forget_idle: of the boxes that answer with a RST
---@field count? integer slow_connect: so many connects; limit_fds: so many sockets
---@field down_max? integer crash, power_off: so many nodes at most are down at a time; default 1
---@field lose_files? sim.share crash, power_off
---@field factor? integer slow: dispatches take so many times as long
---@field services? string[] kill: names like ".worker"
---@field by? sim.duration|sim.Delay clock_step
---@field drift? string clock_drift: "500ppm"

--- The nemesis: with some families named only these strike, else all but those that are false.
---@class sim.NemesisFields
---@field time? sim.duration how long faults begin; default "30s"
---@field rate? string of all families together; default "1/s"
---@field partition? sim.Family|boolean one node alone, or everybody in two or three groups
---@field one_way? sim.Family|boolean single directions are cut
---@field hold? sim.Family|boolean what arrives is kept, and released
---@field delay? sim.Family|boolean links are slower
---@field jitter? sim.Family|boolean delays of links vary
---@field loss? sim.Family|boolean links lose segments
---@field bursts? sim.Family|boolean links lose segments in bursts
---@field split? sim.Family|boolean deliveries are cut in two
---@field throttle? sim.Family|boolean links are narrower
---@field queue? sim.Family|boolean links are narrower, and lose what finds no room in their queue
---@field datagrams? sim.Family|boolean links duplicate and reorder datagrams
---@field reset? sim.Family|boolean connections are reset
---@field refuse? sim.Family|boolean connects are refused
---@field black_hole? sim.Family|boolean connects get no answer
---@field slow_connect? sim.Family|boolean connects take longer
---@field slow_accept? sim.Family|boolean a node accepts late
---@field stall_sockets? sim.Family|boolean a socket thread does nothing
---@field limit_fds? sim.Family|boolean a node may have a few sockets only
---@field forget_idle? sim.Family|boolean a middle box forgets idle connections
---@field crash? sim.Family|boolean a node dies and is started again
---@field power_off? sim.Family|boolean the same in silence
---@field pause? sim.Family|boolean a process is stopped for a while
---@field slow? sim.Family|boolean a node is slow for a while
---@field kill? sim.Family|false one of its `services` is killed; strikes only where it is named
---@field clock_step? sim.Family|boolean a wall clock is set
---@field clock_drift? sim.Family|boolean clocks are fast or slow for a while

--- What a scenario declares.
---@class sim.Scenario
---@field nodes table<string, sim.Node>
---@field story fun(world: sim.World) what happens, from when all nodes are up (or 60 s have gone) until it returns
---@field network? sim.Network
---@field services? table<string, function> main chunks of services; each runs in a Lua state of its own
---@field cluster? table<string, string|boolean> further entries of the `cluster` config
---@field project? string folder of the user's services, from the folder of this file; default "."
---@field reachable? string[] names of sim.reachable that some run of a sweep must come by
---@field order? table<string, sim.Contract> flow -> what is promised of its messages: { notices = sim.order.cluster }
---@field any_order? boolean the seed decides what Lua leaves open: how tables are walked, when garbage is collected
---@field nemesis? sim.NemesisFields what world:nemesis() draws
---@field swarm? boolean each seed turns families of faults off, and draws delays, workers and dispatch costs
---@field kind? "guarantee"|"allowed"|"liveness" for the reader
---@field source? string for the reader: where the case comes from
---@field legacy? string the switch of --legacy under which it must fail

---@class sim
local sim = {}

--- Declares the scenario, once per file: `sim.scenario "its claim" { nodes = ..., story = ... }`.
---@param claim string
---@return fun(declaration: sim.Scenario): sim.Scenario
function sim.scenario(claim) end

-- Properties. `name` is what reports and sweeps know one by. With a name alone they give the property itself, to be
-- called with the rest; it stands in the catalogue of the run from then on.

--- Claims what must never be false.
---@overload fun(name: string): fun(condition: any, detail?: string, ...: any)
---@param name string
---@param condition any
---@param detail? string a string.format of what was expected and what was seen
---@param ... any
function sim.guarantee(name, condition, detail, ...) end

--- sim.guarantee.
---@overload fun(name: string): fun(condition: any, detail?: string, ...: any)
---@param name string
---@param condition any
---@param detail? string
---@param ... any
function sim.always(name, condition, detail, ...) end

--- Claims what is mostly so, though nobody promised it: what breaks it is counted and shown, and fails nothing.
---@overload fun(name: string): fun(condition: any, detail?: string, ...: any)
---@param name string
---@param condition any
---@param detail? string a string.format of what was expected and what was seen
---@param ... any
function sim.usual(name, condition, detail, ...) end

--- Waits until condition() is true; it is a failure if that takes longer than `within`. Only in a story.
---@overload fun(name: string): fun(condition: (fun(): any), within: sim.duration): boolean
---@async
---@param name string
---@param condition fun(): any asked after each event
---@param within sim.duration
---@return boolean became_true
function sim.liveness(name, condition, within) end

--- sim.liveness.
---@overload fun(name: string): fun(condition: (fun(): any), within: sim.duration): boolean
---@async
---@param name string
---@param condition fun(): any
---@param within sim.duration
---@return boolean became_true
function sim.eventually(name, condition, within) end

--- Both outcomes are legal, and a sweep must see both.
---@overload fun(name: string): fun(condition: any)
---@param name string
---@param condition any
function sim.allowed(name, condition) end

--- A sweep must see it true.
---@overload fun(name: string): fun(condition: any)
---@param name string
---@param condition any
function sim.sometimes(name, condition) end

--- A sweep must come by here.
---@param name string
function sim.reachable(name) end

--- Whether two values are the same, tables by content, and what was expected and seen as text: made to be the end of
--- the arguments of sim.guarantee.
---@param expected any
---@param seen any
---@param where? string in front of the text: "round 2"
---@return boolean is_equal
---@return string text
function sim.equal(expected, seen, where) end

-- The order of messages, and histories of operations.

--- Contracts for the `order` of a scenario: what skynet promises between the nodes of a cluster, between those of a
--- master/slave network, and within a node.
sim.order = {
  ---@type sim.Contract
  cluster = {},
  ---@type sim.Contract
  harbor = {},
  ---@type sim.Contract
  node = {},
}

--- Says that a message of a flow is about to be sent. Only in a service.
---@param flow string
---@param id string|integer no other message of the flow has it
---@param kind? "send"|"call"|"reply" default "send"
---@param bytes? integer packed size, #skynet.packstring(...); default 0
function sim.sent(flow, id, kind, bytes) end

--- Says that a message of a flow is handled now, or that the call has returned whose reply it is. Only in a service.
---@param flow string
---@param id string|integer
function sim.handled(flow, id) end

--- Gives a recorded history of operations, new or not.
---@param name string
---@return sim.History
function sim.history(name) end

-- For services, too. Outside a simulation they do nothing.

--- Reports a fact to the story (world:probes, world:on) and the trace.
---@param name string
---@param ... any what skynet.pack takes
function sim.probe(name, ...) end

--- The value of `--set key=value` of the command.
---@generic T: string|number|boolean
---@param key string
---@param default T
---@param values? string[] if it is a text: those that there are
---@return T value of the type of `default`
function sim.setting(key, default, values) end

--- Whether the run has this switch of `--legacy`: a scenario asks for those that stand for what users did.
---@param name string
---@return boolean
function sim.legacy(name) end

-- Quantities.

--- Nanoseconds, to compare with world:now().
---@param duration sim.duration
---@return integer ns
function sim.duration(duration) end

--- Always the same delay.
---@param delay sim.duration
---@return sim.Delay
function sim.constant(delay) end

--- A delay between two bounds, all equally likely.
---@param least sim.duration
---@param most sim.duration
---@return sim.Delay
function sim.uniform(least, most) end

--- Loss in bursts (Gilbert-Elliott): with each segment a calm link enters a burst with probability `enter`, and a burst
--- ends with `leave`; shares `loss` and `calm_loss` of the segments are lost within and between bursts.
---@param given { enter: sim.share, leave: sim.share?, loss: sim.share?, calm_loss: sim.share? }
---@return sim.Bursts
function sim.bursts(given) end

--- A delay of `least` and something on top that is `mean` on average and seldom much more.
---@param least sim.duration
---@param mean sim.duration
---@param most? sim.duration never longer than this; default: least and twenty times the mean
---@return sim.Delay
function sim.exponential(least, mean, most) end

------------------------------------------------------------------------------------------------------------------------

--- What a service does if it is asked one thing after another; sim.models has the usual ones.
---@class sim.Model
---@field init any the first state; not nil
---@field step fun(state: any, op: string, args: any): any, any -> next state and result; nothing: it waits
---@field key? fun(op: string, args: any): any which of many independent ones it is about

--- An operation of a history.
---@class sim.Operation
---@field client string
---@field op string
---@field args any
---@field result any
---@field outcome "ok"|"fail"|"open"
---@field invoked integer position in the history
---@field returned? integer
---@field invoked_ns integer
---@field returned_ns? integer

--- What a check of a history found out.
---@class sim.Report
---@field verdict "linearizable"|"illegal"|"unknown"
---@field steps integer that the search took
---@field key? any of the part that is illegal
---@field prefix? sim.Operation[] the shortest illegal prefix
---@field culprit? sim.Operation whose return ends it
---@field order? sim.Operation[] an order that explains all that returned before
---@field state? any what that order leads to
---@field text? string all this in words

--- Operations of several clients, as they asked and were answered.
---@class sim.History
local History = {}

--- An operation begins.
---@param client string|integer who asks, for the reader
---@param op string
---@param args any a table if there are several
---@return table operation for ok, fail or info
function History:invoke(client, op, args) end

--- An operation returned.
---@param operation table
---@param result any
function History:ok(operation, result) end

--- An operation did not happen, for sure.
---@param operation table
function History:fail(operation) end

--- Nobody knows whether an operation happened or still will.
---@param operation table
function History:info(operation) end

--- Does an operation by calling a function. If that raises, the operation is open and the error goes on.
---@async
---@param client string|integer
---@param op string
---@param args any
---@param f fun(): any
---@return any result
function History:call(client, op, args, f) end

--- All operations so far, in order of invocation. Only in the story.
---@return sim.Operation[]
function History:operations() end

--- Judges the guarantee that the operations could have happened one by one, each between its invocation and its return.
--- Only in the story.
---@param model sim.Model
---@param limits? { steps: integer? } how long to search; default 1 million steps
---@return "linearizable"|"illegal"|"unknown" verdict
---@return sim.Report report
function History:check(model, limits) end

--- A task of the story.
---@class sim.Task
local Task = {}

--- Waits for its end. Raises what it raised.
---@async
---@return any ... what its function returned
function Task:join() end

--- One direction between two nodes. Each verb returns the link, so that they can be chained.
---@class sim.Link
local Link = {}

--- How long a segment is under way.
---@param delay sim.duration|sim.Delay
---@return sim.Link
function Link:delay(delay) end

--- Adds something to any delay: nothing to this much, all equally likely.
---@param jitter sim.duration
---@return sim.Link
function Link:jitter(jitter) end

--- Share of segments that are lost; over TCP they come later, by retransmission.
---@param ratio sim.share|sim.Bursts
---@return sim.Link
function Link:loss(ratio) end

--- How much may wait for the bandwidth; what would be more is lost.
---@param bytes sim.bytes 0: no limit
---@return sim.Link
function Link:queue(bytes) end

--- How much fits through it.
---@param rate sim.rate
---@return sim.Link
function Link:bandwidth(rate) end

--- Share of deliveries that are cut in two at a chosen byte.
---@param ratio sim.share
---@return sim.Link
function Link:split(ratio) end

--- Largest segment.
---@param bytes sim.bytes 1 to 65536
---@return sim.Link
function Link:mss(bytes) end

--- Largest packet: TCP segments have 40 bytes less, and a larger datagram travels in fragments.
---@param bytes sim.bytes 68 to 65536
---@return sim.Link
function Link:mtu(bytes) end

--- What the receiver of a stream takes without being read.
---@param bytes sim.bytes
---@return sim.Link
function Link:window(bytes) end

--- What the sender of a stream takes before it is acknowledged.
---@param bytes sim.bytes
---@return sim.Link
function Link:send_buffer(bytes) end

--- Share of UDP datagrams that come twice.
---@param ratio sim.share
---@return sim.Link
function Link:duplicate(ratio) end

--- Share of UDP datagrams that are overtaken.
---@param ratio sim.share
---@return sim.Link
function Link:reorder(ratio) end

--- Loses everything from now on, until healed.
---@return sim.Link
function Link:partition() end

--- Undoes partition.
---@return sim.Link
function Link:heal() end

--- Keeps what arrives, until released; nothing is lost.
---@return sim.Link
function Link:hold() end

--- Lets go of what was kept: as it came, or of each connection as one piece, in pieces of so many bytes, or cut behind
--- so many bytes.
---@param how? { one_chunk: boolean?, bytes: sim.bytes?, at: integer[]? }
---@return sim.Link
function Link:release(how) end

--- Cuts what the next connection to write over the link writes next into pieces of these lengths.
---@param lengths integer[]
---@return sim.Link
function Link:cut(lengths) end

--- How much is kept now.
---@return integer bytes
function Link:held() end

--- The clocks of the machine that a node runs on. Each verb returns them, so that they can be chained.
---@class sim.Clock
local Clock = {}

--- Moves the wall clock (os.time, os.date). Monotonic time (skynet.now, timers, sleeps) does not notice.
---@param by sim.duration "2s"; "-1h": back
---@return sim.Clock
function Clock:step(by) end

--- Makes both clocks fast or slow from now on, and timers with them; what they have gained stays.
---@param rate sim.drift 10 % at most; 0: exact again
---@return sim.Clock
function Clock:drift(rate) end

--- A fact that a service reported; its values are the items 1 to n.
---@class sim.Probe
---@field node string
---@field service skynet.handle
---@field start integer how often the node had been started; 0: a probe of the story
---@field time integer virtual ns
---@field n integer number of values
---@field [integer] any

--- A nemesis that is loose.
---@class sim.Nemesis
local Nemesis = {}

--- Waits until its time is over and everything that it did is undone.
---@async
function Nemesis:join() end

--- Ends it now: undoes everything that it did, and waits for nodes that it starts again.
---@async
function Nemesis:stop() end

--- How world:calm_down heals the world, and what it asks about.
---@class sim.Calm
---@field within? sim.duration default "5min"
---@field core? "all"|"random" "random": the seed keeps some nodes, and the others stay down
---@field keep? string[] nodes that stay
---@field restart? boolean start the nodes that are down; default true
---@field reset? boolean reset half-open connections, as a keepalive would; default true
---@field excuse? string[] services whose calls are not asked about
---@field also? string[] services in which everything that waits counts
---@field name? string of the property

--- A connection that is not wholly closed.
---@class sim.Connection
---@field id integer
---@field from string node that connected
---@field to string
---@field from_address string
---@field to_address string
---@field state string

--- A message of the network that was sent and has not arrived.
---@class sim.Message
---@field id integer
---@field from string node that sent it
---@field to string
---@field kind "syn"|"syn-ack"|"ack"|"data"|"fin"|"rst"|"probe"|"datagram"
---@field bytes integer of the program
---@field fin boolean the stream ends with it
---@field held boolean it waits at the far end
---@field sent integer virtual ns
---@field arrives? integer virtual ns; nil if it is held
---@field connection? integer id of its connection; nil: a datagram

--- The world of a story. A name that nobody has, or a verb that makes no sense now, ends the run with status 2. With
--- `--transport tcp` that is also the end of what needs the simulated network: link, partition, heal, reset, refuse,
--- black_hole, allow, delay_connects, connections, accepted, clock, pause, resume, slow, nemesis, calm_down, and crash
--- with power_off.
---@class sim.World
local World = {}

--- Virtual time since the run began; compare with sim.duration("2s").
---@return integer ns
function World:now() end

--- Lets time pass.
---@async
---@param duration sim.duration
function World:sleep(duration) end

--- Begins another task of the story, now.
---@param f function
---@param ... any
---@return sim.Task
function World:spawn(f, ...) end

--- Waits until condition() is true, which is asked after each event.
---@async
---@param condition fun(): any
---@param timeout? sim.duration default: for ever
---@return boolean became_true
function World:wait_until(condition, timeout) end

--- Runs steps that do not depend on each other, in an order that the seed chooses, and waits for all.
---@async
---@param ... fun()
function World:together(...) end

--- A choice of the seed; 1 where nothing unusual happens.
---@param n integer
---@return integer one of 1 to n
function World:choose(n) end

--- A copy of a list in an order that the seed chooses.
---@generic T
---@param list T[]
---@return T[]
function World:shuffle(list) end

--- Calls a service of a node with a message of type lua, as skynet.call does. Raises if the call fails; the run has
--- failed if nobody catches that.
---@async
---@param node string
---@param address string ".name" or ":handle"
---@param ... any
---@return any ...
function World:call(node, address, ...) end

--- Sends a message of type lua to a service of a node.
---@param node string
---@param address string ".name" or ":handle"
---@param ... any
function World:send(node, address, ...) end

--- Runs a line of the debug console on a node, as service debug_console would: "stat", "task :0000000a", "help", ...
--- The first time it starts a service there, sim_console.
---@async
---@param node string
---@param line string
---@return string? text what the console shows
---@return string? problem what is wrong, without a text
function World:console(node, line) end

--- What services reported with sim.probe(name, ...) so far, in order.
---@param name string
---@return sim.Probe[]
function World:probes(name) end

--- Calls f(probe) in a new task of the story for each sim.probe(name, ...) from now on.
---@param name string
---@param f fun(probe: sim.Probe)
function World:on(name, f) end

--- Writes a line into the trace.
---@param text string a string.format
---@param ... any
function World:note(text, ...) end

--- Kills a node. Its kernel closes its connections; with power_off there is silence.
---@param name string
---@param how? { power_off: boolean?, lose_files: boolean? }
function World:crash(name, how) end

--- Starts a node that is down and waits for the end of its bootstrap.
---@async
---@param name string
---@param changes? sim.Changes
function World:start(name, changes) end

--- Starts a node, after killing it if it runs, and waits for the end of its bootstrap.
---@async
---@param name string
---@param changes? sim.Changes
function World:restart(name, changes) end

--- Whether a node is up.
---@param name string
---@return boolean
function World:is_running(name) end

--- The clocks of the machine that a node runs on.
---@param node string
---@return sim.Clock
function World:clock(node) end

--- Stops the process of a node, as SIGSTOP does. Its kernel and its clocks go on; what the story calls and sends waits.
---@param node string
function World:pause(node) end

--- Lets the process of a node go on after a pause.
---@param node string
function World:resume(node) end

--- Kills a service as the debug console does, and waits until it is gone.
---@async
---@param node string
---@param address string ".name" or ":handle"
function World:kill(node, address) end

--- Runs Lua inside a service, as the debug console's inject: `_U` has the tables that its functions know.
---@async
---@param node string
---@param address string ".name" or ":handle"
---@param code string|{ file: string } source, or a file of the node's tree
---@param ... any arguments of the chunk
---@return string? output what it printed
---@return string? problem what is wrong, without an output
function World:inject(node, address, code, ...) end

--- Puts files into the tree of a node, running or not.
---@param node string
---@param files table<string, string> path -> text
function World:put_files(node, files) end

--- Makes each dispatch of a node take so many times as long.
---@param node string
---@param factor integer 1: as before
function World:slow(node, factor) end

--- One direction between two nodes.
---@param from string
---@param to string
---@return sim.Link
function World:link(from, to) end

--- Cuts every link between nodes of different groups, both ways; a node in no group keeps its links.
---@param groups string[][] { {"a"}, {"b", "c"} }
function World:partition(groups) end

--- Heals every link that is partitioned.
function World:heal() end

--- Lets a node have so many sockets at a time.
---@param node string
---@param count integer 0: no limit
function World:limit_fds(node, count) end

--- Makes a node accept connections so long after their handshakes.
---@param node string
---@param delay sim.duration 0: at once
function World:slow_accept(node, delay) end

--- The socket thread of a node does nothing: nothing is read, accepted or told. Its kernel goes on.
---@param node string
function World:stall_sockets(node) end

--- Undoes stall_sockets.
---@param node string
function World:resume_sockets(node) end

--- Puts a middle box between two nodes that forgets idle connections of `from` to `to`.
---@param from string
---@param to string
---@param idle sim.duration 0: there is no such box
---@param how? "drop"|"reset" what becomes of what is sent then
function World:forget_idle(from, to, idle, how) end

--- What is on its way or held, in order of sending.
---@param from? string only what this node has sent
---@param to? string only what is for this node
---@return sim.Message[]
function World:in_flight(from, to) end

--- Lets a message arrive now, even over a held link; bytes of a stream not before those in front of them.
---@param message sim.Message|integer
function World:deliver(message) end

--- Loses a message; bytes of a stream come again by retransmission, and so do those behind them.
---@param message sim.Message|integer
function World:drop(message) end

--- Keeps a message at the far end, and bytes of a stream behind it.
---@param message sim.Message|integer
function World:hold(message) end

--- Undoes hold.
---@param message sim.Message|integer
function World:release(message) end

--- Resets every connection that `from` made to `to`: both ends see "Connection reset by peer".
---@param from string
---@param to string
---@return integer count
function World:reset(from, to) end

--- Refuses new connects until they are allowed again.
---@param from string
---@param to string
function World:refuse(from, to) end

--- Gives new connects no answer until they are allowed again.
---@param from string
---@param to string
function World:black_hole(from, to) end

--- Undoes refuse and black_hole.
---@param from string
---@param to string
function World:allow(from, to) end

--- Makes the next connects take longer, and the bytes on them too.
---@param from string
---@param to string
---@param delay sim.duration
---@param count? integer how many connects; default 1
function World:delay_connects(from, to, delay, count) end

--- Lets the nemesis loose that the scenario declares. It goes on beside the story until its time is over.
---@return sim.Nemesis
function World:nemesis() end

--- Heals the world and waits until every open call has ended; a failure ("liveness") if that takes too long.
---@async
---@param how? sim.Calm
---@return boolean all_ended
function World:calm_down(how) end

--- All connections that are not wholly closed.
---@return sim.Connection[]
function World:connections() end

--- How many connects of `from` to `to` were accepted so far.
---@param from string
---@param to string
---@return integer count
function World:accepted(from, to) end

return sim
