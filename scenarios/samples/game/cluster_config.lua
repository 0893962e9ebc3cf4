-- The nodes of game_cluster.lua: the `cluster` entry of game/node_config.lua names this file.

__nowaiting = false  -- calls to names that are not here wait until they are

game1 = "192.168.1.10:7001"
game2 = "192.168.1.11:7002"

battle1 = "192.168.1.20:8001"
battle2 = "192.168.1.21:8002"

db = "192.168.1.30:9001"

gate1 = "192.168.1.40:6001"
gate2 = "192.168.1.41:6002"

maintenance = false  -- known, and switched off
