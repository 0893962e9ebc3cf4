error "skysim has loaded skynet's own lualib/skynet.lua"
