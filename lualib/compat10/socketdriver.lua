-- The name that skynet.socketdriver had before skynet 1.0. For projects with lualib/compat10/?.lua in lua_path.
return require "skynet.socketdriver"
