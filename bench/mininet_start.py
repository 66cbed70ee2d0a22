#!/usr/bin/python3
"""Start and end of SWITCHES Linux bridges with HOSTS hosts each, in seconds: `mn` itself, without its command line's own start."""
import sys
import time

from mininet.net import Mininet
from mininet.nodelib import LinuxBridge
from mininet.topo import Topo


class Rows(Topo):
    def build(self, switches, hosts):
        last = None
        for s in range(1, switches + 1):
            switch = self.addSwitch(f"s{s}", cls=LinuxBridge)
            if last:
                self.addLink(last, switch)
            last = switch
            for h in range(1, hosts + 1):
                self.addLink(self.addHost(f"h{s}x{h}"), switch)


began = time.monotonic()
net = Mininet(topo=Rows(int(sys.argv[1]), int(sys.argv[2])), controller=None)
net.start()
up = time.monotonic()
net.stop()
print(f"{up - began:.3f} {time.monotonic() - up:.3f}")
