from resspec.cli import main

main()
