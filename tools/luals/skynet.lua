---@meta skynet

-- What a service does: take messages, call and send, wait, start other services. A service handles each message in a
-- task of its own; functions marked async suspend the running task, and other tasks of the service run meanwhile. Times
-- are in cs: hundredths of a second.

--- Name under which this service was launched: the first word of its launch line.
---@type string
SERVICE_NAME = ""

--- Folder of this service's script, with a slash at its end.
---@type string
SERVICE_PATH = ""

---@alias skynet.handle integer handle of a service: harbor id in the high 8 bits, index in the low 24; never 0
---@alias skynet.address integer|string handle; ":" and its digits in hex; ".name" on this node; else a harbor-wide name
---@alias skynet.protocol_name
---| "lua"
---| "text"
---| "client"
---| "socket"
---| "snax"
---| "debug"
---| string

--- A message type as register_protocol takes it.
---@class skynet.protocol
---@field name string unique in this service
---@field id integer unique in this service, from 0 to 255; see skynet.PTYPE_*
---@field pack? fun(...: any): string|lightuserdata, integer? makes the bytes of a message; needed to send
---@field unpack? fun(msg: lightuserdata, sz: integer): ... reads them; needed to receive
---@field dispatch? fun(session: integer, source: integer, ...: any) handles one message, in a task of its own
---@field trace? boolean true: trace every request; false: none

--- A closure that answers one request later; see skynet.response.
---@alias skynet.responder fun(ok: boolean|"TEST", ...: any): boolean?

---@class skynet
local skynet = {}

-- Message types. The numbers travel between nodes.
skynet.PTYPE_TEXT = 0
skynet.PTYPE_RESPONSE = 1
skynet.PTYPE_MULTICAST = 2
skynet.PTYPE_CLIENT = 3
skynet.PTYPE_SYSTEM = 4
skynet.PTYPE_HARBOR = 5
skynet.PTYPE_SOCKET = 6
skynet.PTYPE_ERROR = 7
skynet.PTYPE_QUEUE = 8
skynet.PTYPE_DEBUG = 9
skynet.PTYPE_LUA = 10
skynet.PTYPE_SNAX = 11
skynet.PTYPE_TRACE = 12

--- The module skynet.codecache.
---@type skynet.codecache
skynet.cache = {}

-- Start and end -------------------------------------------------------------------------------------------------------

--- Makes this a service: it takes messages from now on, and `start` runs in its first task. Whoever launched it goes on
--- when `start` returns; if `start` raises, the launch fails and the service ends. Call it once, in the main chunk.
---@param start fun()
function skynet.start(start) end

--- Registers a function that runs before that of skynet.start, in the order of registration. For modules. Raises when
--- it is called neither in the main chunk nor while a module is being loaded.
---@param f fun()
function skynet.init(f) end

--- Runs the functions of skynet.init and then `start` in the running task, and tells the launcher how it went. For
--- those who write a start function of their own.
---@async
---@param start fun()
function skynet.init_service(start) end

--- Ends this service; nothing after it runs. Requests that it has not answered fail for their callers, its tasks are
--- closed (their <close> variables run). Raises in the main chunk.
---@async
function skynet.exit() end

--- Limits the Lua memory of this service; beyond it the service sees "not enough memory". In the main chunk only, once:
--- the function is gone afterwards.
---@param bytes integer
function skynet.memlimit(bytes) end

-- Sending and calling -------------------------------------------------------------------------------------------------

--- Calls a service and waits for its reply, without a time limit. Raises "call to invalid address ..." if nobody is
--- there, and "call failed" if the service raised, exited or died.
---@async
---@param address skynet.address
---@param typename skynet.protocol_name
---@param ... any what the protocol's pack takes
---@return any ... the unpacked reply
function skynet.call(address, typename, ...) end

--- Calls with a message that is packed already. Raises as skynet.call.
---@async
---@param address skynet.address
---@param typename skynet.protocol_name
---@param msg string|lightuserdata the block of a light userdata passes to the engine
---@param sz? integer bytes; needed with a light userdata
---@return lightuserdata msg the reply as it came; valid until the task waits again
---@return integer sz
function skynet.rawcall(address, typename, msg, sz) end

--- skynet.rawcall under a trace tag of the caller's choice.
---@async
---@param tag string
---@param address skynet.address
---@param typename skynet.protocol_name
---@param msg string|lightuserdata
---@param sz? integer
---@return lightuserdata msg
---@return integer sz
function skynet.tracecall(tag, address, typename, msg, sz) end

--- Sends a message that wants no reply. A missing receiver is no error: look at the result.
---@param address skynet.address
---@param typename skynet.protocol_name
---@param ... any what the protocol's pack takes
---@return integer|false|nil session 0; nil: nobody is there; false: the message is too large
function skynet.send(address, typename, ...) end

--- skynet.send with a message that is packed already.
---@param address skynet.address
---@param typename skynet.protocol_name
---@param msg string|lightuserdata the block of a light userdata passes to the engine
---@param sz? integer
---@return integer|false|nil session
function skynet.rawsend(address, typename, msg, sz) end

--- Sends in the name of another service, which gets the reply if there is a session.
---@param address skynet.address
---@param source skynet.address
---@param typename skynet.protocol_name
---@param session? integer 0: no reply is wanted; nil: a new one of this service
---@param msg? string|lightuserdata the block of a light userdata passes to the engine
---@param sz? integer
---@return integer|false|nil session
function skynet.redirect(address, source, typename, session, msg, sz) end

--- A set of calls that are made at once and whose replies are taken as they come:
--- `for request, reply in skynet.request { a, "lua", "get" } { b, "lua", "get" }:select(100) do ... end`
---@param first? skynet.request_item
---@return skynet.requests
function skynet.request(first) end

--- One request: address, type, arguments. Further fields are the user's.
---@class skynet.request_item
---@field [integer] any
---@field n? integer number of items; needed if an argument is nil

---@class skynet.requests
---@field timeout? true after a loop that ended because its time was over
---@operator call(skynet.request_item): skynet.requests
local requests = {}

--- Adds a request; calling the set does the same.
---@param request skynet.request_item
---@return skynet.requests
function requests:add(request) end

--- Makes all the calls and iterates over (request, reply) in the order in which they end. A reply is a packed table
--- with `n`; false: the call failed; nil: nobody has that address. Once per set. Leaving the loop gives up what is
--- open.
---@async
---@param timeout? integer cs; when they are over the loop ends and the set's `timeout` is true
---@return fun(...: any): skynet.request_item?, table|false|nil next
---@return skynet.requests set
---@return nil
---@return any closing closes what is open when the loop is left
function requests:select(timeout) end

-- Answering -----------------------------------------------------------------------------------------------------------

--- Registers a message type of this service. Raises if its name or its id is taken.
---@param class skynet.protocol
function skynet.register_protocol(class) end

--- Sets the function that handles messages of a type; without one, tells which it is. Raises for an unknown type if a
--- function is given.
---@param typename skynet.protocol_name
---@param f? fun(session: integer, source: integer, ...: any)
---@return (fun(session: integer, source: integer, ...: any))? before
function skynet.dispatch(typename, f) end

--- Answers the request of the running task with bytes. Raises "No session" when the task has no request (a forked one
--- has none) or has answered it.
---@param msg? string|lightuserdata nil: an empty reply
---@param sz? integer
---@return boolean sent false: no reply was wanted, or it could not be sent
function skynet.ret(msg, sz) end

--- Packs the values and answers the request of the running task with them. Raises as skynet.ret.
---@param ... any what skynet.pack takes
---@return boolean sent
function skynet.retpack(...) end

--- Takes the request away from the running task and gives a closure that answers it from any task: r(true, ...) with
--- values, r(false) with a failure; both return whether the reply was sent, and raise the second time. r("TEST") tells
--- whether the caller still waits. Raises "no session" as skynet.ret does.
---@param pack? fun(...: any): string|lightuserdata, integer? default skynet.pack
---@return skynet.responder
function skynet.response(pack) end

--- Makes the request of the running task one that wants no reply; for types whose session means something else.
function skynet.ignoreret() end

--- The request of the running task.
---@return integer? session nil once it is answered
---@return integer? source handle of the caller
function skynet.context() end

--- Sets what happens to messages of types that this service does not know.
---@param f fun(session: integer, source: integer, msg: lightuserdata, sz: integer, type: integer|string)
---@return function before
function skynet.dispatch_unknown_request(f) end

--- Sets what happens to replies that nobody waits for.
---@param f fun(session: integer, source: integer, msg: lightuserdata, sz: integer)
---@return function before
function skynet.dispatch_unknown_response(f) end

--- Handles a message as if it had just arrived. For frameworks; the bytes stay the caller's.
---@param type integer
---@param msg? lightuserdata
---@param sz? integer
---@param session? integer
---@param source? integer
function skynet.dispatch_message(type, msg, sz, session, source) end

-- Tasks ---------------------------------------------------------------------------------------------------------------

--- Runs f(...) in a new task, after the running one has suspended or ended.
---@param f function
---@param ... any
---@return thread task
function skynet.fork(f, ...) end

--- Runs f() in a new task after `ticks`. There is no way to cancel it.
---@param ticks integer cs; 0 or less: behind the messages that are in the mailbox now
---@param f fun()
---@return thread task
function skynet.timeout(ticks, f) end

--- Suspends the running task for a time, or until somebody wakes it.
---@async
---@param ticks integer cs
---@param token? any for skynet.wakeup; default: the running coroutine
---@return "BREAK"? woken nil: the time is over
function skynet.sleep(ticks, token) end

--- skynet.sleep(0): lets other messages be handled first.
---@async
---@return "BREAK"? woken
function skynet.yield() end

--- Suspends the running task until skynet.wakeup(token). Raises if another task waits with this token.
---@async
---@param token? any default: the running coroutine. A fresh table is safest: coroutines are used again
function skynet.wait(token) end

--- Wakes the task that waits or sleeps with `token`; it runs when the running task suspends or ends.
---@param token any
---@return true? woken nil: nobody waits with it
function skynet.wakeup(token) end

--- Ends a task that waits or has not begun; its request fails, its <close> variables run.
---@param thread thread|string the task, or a pattern that its tostring() matches
---@return thread? task the one that was ended; nil: there is none
function skynet.killthread(thread) end

--- Fails all calls to an address that are open, as if that service had died.
---@param address skynet.address as it was given to skynet.call
function skynet.term(address) end

--- Looks at the tasks that wait. Nothing: how many. A table: it gets a stack for each. "init": where the start function
--- stands, nil if it has returned. A session: the stack of who waits for it. A task: its session.
---@param what? table|"init"|integer|thread
---@return any
---@overload fun(): integer
---@overload fun(stacks: table<string, string>)
---@overload fun(what: "init"): string?
---@overload fun(session: integer): string
---@overload fun(task: thread): integer?
function skynet.task(what) end

--- Tasks that wait at the same place, counted: "<count>\tsessions:[a,b]\n" -> stack.
---@return table<string, string>
function skynet.uniqtask() end

--- Does nothing: the engine always knows where a timer was set. For services that switch it on.
---@param on? boolean
function skynet.trace_timeout(on) end

-- This service and its node -------------------------------------------------------------------------------------------

---@return skynet.handle handle of this service
function skynet.self() end

--- The handle behind a name of this node.
---@param name string ".name"
---@return skynet.handle? handle
function skynet.localname(name) end

--- An address as text: ":" and eight digits in hex for a handle, a name as it is.
---@param address skynet.address
---@return string
function skynet.address(address) end

--- The harbor id in a handle, and whether that is another node.
---@param address skynet.handle
---@return integer harbor_id
---@return boolean is_remote
function skynet.harbor(address) end

--- Time since the node started.
---@return integer cs
function skynet.now() end

--- A clock for measuring; virtual in a simulation.
---@return integer ns
function skynet.hpc() end

--- When the node started.
---@return integer seconds since 1970
function skynet.starttime() end

--- The time of day, as skynet.starttime and skynet.now tell it.
---@return number seconds since 1970, with two decimals
function skynet.time() end

--- An entry of the node's config, or what skynet.setenv made.
---@param key string
---@return string? value
function skynet.getenv(key) end

--- Makes an entry that all services of the node see. Raises if there is one: entries never change.
---@param key string
---@param value string|number|boolean
function skynet.setenv(key, value) end

--- A figure about this service. mqlen: messages in its mailbox; endless: 1 if it was reported as maybe in an endless
--- loop since this was last asked; cpu, time: CPU seconds in all, and of this message; message: messages handled.
---@param what "mqlen"|"endless"|"cpu"|"time"|"message"
---@return number
function skynet.stat(what) end

--- Messages in the mailbox of this service.
---@return integer
function skynet.mqlen() end

--- Whether this service was reported as maybe in an endless loop since it was last asked.
---@return boolean
function skynet.endless() end

--- Sets what answers the debug command INFO.
---@param f fun(...: any): ...
function skynet.info_func(f) end

--- Writes a line to the node's log: the arguments as text, joined by blanks.
---@param ... any
function skynet.error(...) end

-- Services ------------------------------------------------------------------------------------------------------------

--- Starts a service and waits until its start function has returned. Raises "call failed" if it cannot be loaded or its
--- start raises.
---@async
---@param name string of the script
---@param ... string|number words for its main chunk; they arrive as strings, cut at blanks
---@return skynet.handle? handle nil: the service exited while it started
function skynet.newservice(name, ...) end

--- Starts a service if nobody has, once per node, or with a leading true once per harbor network. Raises if its start
--- failed, now or before.
---@async
---@param global boolean|string true, or already the name
---@param ... string|number the name after true; words for its main chunk
---@return skynet.handle handle
---@overload fun(name: string, ...: string|number): skynet.handle
function skynet.uniqueservice(global, ...) end

--- The handle of a unique service; waits until somebody starts it.
---@async
---@param global boolean|string true, or already the name
---@param ... string|number the name after true
---@return skynet.handle handle
---@overload fun(name: string): skynet.handle
function skynet.queryservice(global, ...) end

-- Messages as bytes ---------------------------------------------------------------------------------------------------

--- Values as a message: nil, booleans, numbers, strings, light userdata, and tables of them up to 32 deep; a table with
--- __pairs gives what that iterates over. Raises for functions, coroutines and full userdata. Send the block, or give
--- it to skynet.trash.
---@param ... any
---@return lightuserdata msg
---@return integer sz
function skynet.pack(...) end

--- skynet.pack into a string.
---@param ... any
---@return string
function skynet.packstring(...) end

--- The values of a packed message; frees nothing. Raises if the bytes make no sense; never trust foreign ones.
---@param msg string|lightuserdata
---@param sz? integer
---@return any ...
function skynet.unpack(msg, sz) end

--- A copy of a block as a string; the block stays.
---@param msg lightuserdata
---@param sz integer
---@return string
function skynet.tostring(msg, sz) end

--- Frees a block; a string is left alone.
---@param msg string|lightuserdata
---@param sz? integer
function skynet.trash(msg, sz) end

--- A new session of this service.
---@return integer session
function skynet.genid() end

-- Traces --------------------------------------------------------------------------------------------------------------

--- Gives the running task a trace tag: from now on its calls, and what they cause elsewhere, are logged with it. Raises
--- outside a task.
---@param info? string
function skynet.trace(info) end

--- The trace tag of the running task.
---@return string?
function skynet.tracetag() end

--- Logs one line of a trace, with the place in the code if a coroutine or a level is given.
---@param tag string
---@param text string
---@param thread? thread|integer
---@param level? integer
function skynet.tracelog(tag, text, thread, level) end

--- Whether requests of a type are traced: true each, false never, nil those of traced tasks.
---@param typename skynet.protocol_name
---@param flag? boolean
function skynet.traceproto(typename, flag) end

--- Lua's pcall.
---@deprecated
---@param f function
---@param ... any
---@return boolean ok
---@return any ...
function skynet.pcall(f, ...) end

return skynet
