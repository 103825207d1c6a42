"""Rules: two languages (iptables and nft), one model, one evaluator."""
