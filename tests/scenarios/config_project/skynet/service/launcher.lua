error "skysim has loaded skynet's own service/launcher.lua"
