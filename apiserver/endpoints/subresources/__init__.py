"""What hangs below an object besides itself and its status: one file each, collected by name in `served`."""
