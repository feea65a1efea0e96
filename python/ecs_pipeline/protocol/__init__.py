"""The protocol between processes: tags, snapshots, what follows from them, and the fence."""
