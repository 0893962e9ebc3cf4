-- http.tlshelper needs skynet's optional C module ltls.c, which skysim does not have.

error("http.tlshelper needs the module ltls.c: TLS (https, wss) is not part of skysim", 0)
