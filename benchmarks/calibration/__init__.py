"""The program is tested where the truth is known: markets, what must hold on them, and the draws that show it."""
