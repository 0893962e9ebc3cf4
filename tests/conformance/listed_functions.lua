-- What the reference's tables list, word for word from runtime_api.md 2 to 6 and network.md 1.8 to 5.6, and nothing that
-- only this code knows. function_names.lua compares it with the modules of a running service, named_in_claims_test.py
-- with the claims. A name in `functions` is a function of the module's table, one in `methods` of an object that the
-- module makes; `callable` modules are functions themselves; `commands` are words that a service takes.

local listed = {}

listed.functions = {
  ["skynet.core"] = [[send redirect genid command intcommand addresscommand error harbor callback trace tostring pack
    unpack packstring trash now hpc]],
  ["skynet"] = [[start init init_service exit self localname address harbor register_protocol dispatch send rawsend call
    rawcall tracecall redirect ret retpack response ignoreret context wait sleep yield wakeup timeout fork killthread
    now hpc starttime time getenv setenv genid pack packstring unpack tostring trash error newservice uniqueservice
    queryservice request stat mqlen endless info_func task uniqtask trace_timeout term dispatch_unknown_request
    dispatch_unknown_response trace tracetag tracelog traceproto pcall dispatch_message]],
  ["skynet.manager"] = "launch kill abort register name forward_type filter monitor",
  ["skynet.debug"] = "reg_debugcmd",
  ["skynet.coroutine"] = "create resume yield status running isyieldable wrap close thread",
  ["skynet.service"] = "new query close",
  ["skynet.multicast"] = "new",
  ["skynet.multicast.core"] = "pack unpack bind close remote packremote nextid",
  ["skynet.datacenter"] = "get set wait",
  ["skynet.sharedata"] = "new update query delete flush deepcopy",
  ["skynet.sharetable"] = "loadfile loadstring loadtable query queryall update",
  ["skynet.datasheet"] = "query",
  ["skynet.datasheet.builder"] = "new update compile",
  ["skynet.stm"] = "new copy newcopy",
  ["skynet.mqueue"] = "register call send size",
  ["skynet.profile"] = "start stop resume wrap",
  ["skynet.memory"] = "total block current info jestat mallctl dumpinfo dump dumpheap profactive",
  ["skynet.codecache"] = "clear mode loadfile",
  ["skynet.debugchannel"] = "create connect sethook",
  ["skynet.snax"] = [[newservice rawnewservice uniqueservice globalservice queryservice queryglobal bind self exit kill
    hotfix printf profile_info interface enablecluster]],
  ["skynet.crypt"] = [[hashkey randomkey desencode desdecode hexencode hexdecode hmac64 hmac64_md5 hmac_hash dhexchange
    dhsecret base64encode base64decode sha1 hmac_sha1 xor_str]],
  ["md5"] = "sum sumhexa hmacmd5",
  ["skynet.dns"] = "server resolve flush",
  ["http.httpd"] = "read_request write_response",
  ["http.httpc"] = "get post head request request_stream dns",
  ["http.url"] = "parse parse_query",
  ["http.sockethelper"] = "readfunc writefunc readall connect close shutdown",
  ["http.websocket"] = "accept connect read write ping close addrinfo real_ip is_close",
  ["skynet.socketdriver"] = [[connect listen bind start pause close shutdown nodelay send lsend udp udp_listen udp_dial
    udp_connect udp_send udp_address info resolve unpack buffer push pop readall readline clear drop str2p header]],
  ["skynet.socket"] = [[open listen start bind stdin read readline readall block write lwrite header close close_fd
    shutdown abandon pause invalid disconnected limit warning onclose udp udp_listen udp_dial udp_connect sendto
    udp_address netstat resolve]],
  ["skynet.socketchannel"] = "channel",
  ["skynet.netpack"] = "pack tostring pop clear filter",
  ["skynet.cluster"] = "call send open reload proxy snax register unregister query get_sender",
  ["skynet.harbor"] = "globalname queryname link connect linkmaster",
  ["snax.gateserver"] = "start openclient closeclient",
}

listed.methods = {
  ["skynet"] = "add select",  -- of skynet.request()
  ["skynet.multicast"] = "publish subscribe unsubscribe delete",
  ["skynet.debugchannel"] = "write read",
  ["skynet.socketchannel"] = "request response connect close changehost changebackup",
}

listed.callable = "skynet.queue skynet.inject"

-- Of the 19 names of skynet; the others are of drivers of databases and of sharemap.
listed.compat10 = [[cluster crypt datacenter dns memory mqueue multicast netpack profile sharedata snax socket
  socketchannel socketdriver stm]]

listed.commands = {
  ["service launcher"] = "LAUNCH LOGLAUNCH LAUNCHOK ERROR REMOVE LIST STAT MEM GC KILL QUERY",
  ["service service_mgr"] = "LAUNCH QUERY GLAUNCH GQUERY LIST REPORT",
  ["service service_provider"] = "test query launch close",
  ["service debug_console"] = [[help list service stat mem gc start log snax exit kill info task uniqtask killtask dbgcmd
    inject call ping signal logon logoff trace debug clearcache cmem jmem dumpheap profactive netstat getenv setenv]],
  ["service cslave"] = "REGISTER QUERYNAME LINK CONNECT LINKMASTER",
  ["service datacenterd"] = "QUERY UPDATE WAIT",
  ["service multicastd"] = "NEW SUB USUB PUB DEL SUBR USUBR DELR",
  ["service gate"] = "open close forward accept kick",
  ["service clusterd"] = "reload listen sender senders proxy register unregister queryname",
  ["module gate"] = "kick forward broker start close",
  ["debug protocol"] = "MEM GC STAT TASK UNIQTASK KILLTASK INFO EXIT RUN TERM REMOTEDEBUG SUPPORT PING LINK TRACELOG",
  ["skynet.core.command"] = [[TIMEOUT REG QUERY NAME EXIT KILL LAUNCH GETENV SETENV STARTTIME ABORT MONITOR STAT LOGON
    LOGOFF SIGNAL]],
}

return listed
