error "skysim has loaded skynet's own lualib/loader.lua"
