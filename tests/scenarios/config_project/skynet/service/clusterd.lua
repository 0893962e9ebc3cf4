error "skysim has loaded skynet's own service/clusterd.lua"
