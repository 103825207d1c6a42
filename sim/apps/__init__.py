"""What runs on a machine: terminals, programs (clients) and services (servers)."""
