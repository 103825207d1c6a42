"""The five hooks, what passes through them (Skb), and what stands in their lists by priority."""
