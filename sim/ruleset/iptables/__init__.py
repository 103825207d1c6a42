"""iptables' and ip6tables' language and tools, as iptables-legacy 1.8.9 has them: parse, print, edit, save, restore."""
