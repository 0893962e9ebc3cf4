-- A config file for skynet, of each node of game_cluster.lua. What differs comes from the environment.

thread = 8
harbor = 0  -- no master, no slaves

cluster = "./game/cluster_config.lua"
nodename = "$NODENAME"

start = "$START"
