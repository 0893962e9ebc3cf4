return "only in skynet"
